"""Trains a genotype's network from scratch, and tests it once, at the end."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, cast

from darts_tf.config import TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.descent.epochs import FirstEpochs
from darts_tf.errors import InputError
from darts_tf.programs import (
    data_report,
    expected_time,
    memory_report,
    plugins,
    records,
    setup,
)
from darts_tf.programs.own_data import source_of
from darts_tf.programs.task_choice import task_of
from darts_tf.reading import expanded
from darts_tf.run import settings_files
from darts_tf.run.loop.driver import drive
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import load_genotype


def run(
    config: TrainingConfig,
    workdir: str | Path,
    data=None,
    genotype: Genotype | None = None,
) -> str:
    """Trains, or goes on with the training in `workdir`; returns a summary.

    Args:
      config: the settings.
      workdir: folder of the evaluation; made where it is missing.
      data: ImageData or TextData; loaded by `config.dataset` where None.
      genotype: to be trained; `config.genotype` names it where None.

    Raises:
      InputError: settings, data or the folder cannot be used.
      DivergedError: a loss is no longer finite.
      SystemExit: 0 or 130 after SIGTERM or Ctrl-C, everything saved.
    """
    plugins.load(config.plugin)
    config = settings_files.as_started(settle(config), expanded(workdir))
    if genotype is None:
        genotype = _named(config)
    elif config.genotype is None:
        config = config.filled(genotype=str(Path(workdir) / "genotype.json"))
    with setup.restored_options():
        return _train(config, genotype, workdir, data)


def _named(config: TrainingConfig) -> Genotype:
    if config.genotype is None:
        raise InputError(
            "`genotype` is missing: give a JSON file or a published name, for "
            "example `genotype=DARTS_V2`"
        )
    return load_genotype(config.genotype, config.space)


def _train(config: TrainingConfig, genotype: Genotype, path, data) -> str:
    replicas = setup.prepare(config, config.space)
    setup.check_free(path, replicas, "evaluate", config)
    task = task_of(config.space)
    task.check_limits(config, genotype, data)
    divided = task.training_data(config, data)
    data = source_of(divided)
    values = setup.run_values(config, data)
    loop = task.training(config, genotype, replicas, divided)
    data_report.report(divided, config, replicas)
    memory_report.report(loop.model, "training", config, divided, replicas)
    expected_time.report(config, loop, divided, replicas)
    with setup.open_run("evaluate", config, path, replicas, data) as workdir:
        if replicas.chief:
            _check_same(genotype, workdir)
            records.write_genotype(workdir, genotype)
        part = config.stop_after_epochs
        if 0 < part < config.epochs:
            loop = cast(Any, FirstEpochs(loop, part))
        with records.reporting(workdir, config, values, replicas) as reporter:
            recorder = records.EvaluationRecords(
                workdir, reporter, task, divided, config
            )
            cost = drive(
                loop,
                workdir,
                report_every=config.report_every,
                checkpoint_every=config.checkpoint_every,
                reporter=reporter,
                on_epoch=recorder.on_epoch,
                team=replicas,
            )
        if loop.step < config.epochs * loop.steps_per_epoch:
            return records.finish_part(workdir, loop, task, divided, cost, config)
        return records.finish_evaluation(
            workdir, loop, task, divided, cost, config, values
        )


def _check_same(genotype: Genotype, workdir: Workdir) -> None:
    """Refuses a folder in which another genotype is trained."""
    known = genotype
    if workdir.genotype.exists():
        with contextlib.suppress(InputError):  # a damaged file is written again
            known = workdir.read_genotype()
    if known != genotype:
        raise InputError(
            f"`workdir={workdir.path}` holds a run of another genotype; give another "
            "`workdir`"
        )
