"""Runs an experiment: searches, selection by short training, full training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from darts_tf.config import ExperimentConfig
from darts_tf.config_rules import settle
from darts_tf.programs import plugins
from darts_tf.protocol import folder, report, stages
from darts_tf.run.process import children


def run(config: ExperimentConfig, workdir: str | Path) -> int:
    """Does all stages and the report, or those of `stage` and `task`.

    Returns the exit code.

    Raises:
      InputError: settings or the folder cannot be used.
    """
    plugins.load(config.plugin)
    config = settle(config)
    gpus = None if config.gpus is None else list(config.gpus)
    groups = children.groups(config.processes, gpus)
    values = dataclasses.asdict(config) | {"workdir": str(workdir), "gpus": gpus}
    values["plugin"] = plugins.absolute(config.plugin)
    plan = folder.make_plan(values)
    alone = config.stage is None
    with folder.claim(plan, alone), children.Parent() as parent:
        if config.task is not None and config.stage is not None:
            return stages.run_task(plan, config.stage, config.task, parent, gpus)
        chosen = stages.STAGES if config.stage is None else [config.stage]
        for stage in chosen:
            if stage in stages.STAGES:
                stages.run_stage(plan, stage, parent, groups)
            if (code := stages.stopped(parent)) is not None:
                return code
        if config.stage not in (None, "report"):
            return 1 if stages.missing(plan, [config.stage]) else 0
        results = report.write(plan)
    print((plan.root / report.TABLE).read_text("utf-8") + f"\n{plan.root}")
    return 1 if results["missing"] else 0
