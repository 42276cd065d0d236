"""Files that a search or an evaluation leaves, and its printed summary."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from absl import logging

from darts_tf.config import Config, SearchConfig, TrainingConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError, shorten
from darts_tf.programs import alarms, alpha_history, nasbench201_oracle, setup
from darts_tf.programs.commands import command, quoted
from darts_tf.programs.next_command import evaluation_command
from darts_tf.programs.task import Task
from darts_tf.run import settings_files
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import Summary
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.tensorboard import Reporter
from darts_tf.run.workdir import Workdir
from darts_tf.space import nasbench201
from darts_tf.space.genotype import Genotype


def resumed_step(workdir: Workdir) -> int:
    """Returns the step of the newest checkpoint, 0 without one."""
    return checkpoints.latest_step(workdir.checkpoints)


@contextlib.contextmanager
def reporting(
    workdir: Workdir, values: Mapping[str, object], replicas: Replicas
) -> Iterator[Reporter | None]:
    """Opens the run's TensorBoard, with its settings; None but for the chief."""
    if not replicas.chief:
        yield None
        return
    with Reporter(workdir.tensorboard, resumed_step(workdir)) as reporter:
        text = settings_files.as_flagfile(values)
        reporter.text(0, "flags", f"```\n{text}```")
        yield reporter


class SearchRecords:
    """Writes alpha, the genotype and pictures at the end of an epoch."""

    def __init__(self, workdir: Workdir, reporter: Reporter | None):
        self._workdir, self._reporter = workdir, reporter

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Writes the epoch's files over those that an earlier start left."""
        del record
        genotype = loop.genotype()
        path = self._workdir.genotypes / f"epoch_{epoch:04d}.json"
        write_atomic(path, genotype.to_json())
        cells = [spec.name for spec in loop.space.cells]
        alpha = dict(zip(cells, loop.architecture.values(), strict=True))
        alpha_history.keep(
            self._workdir.alpha, epoch, alpha, loop.architecture.temperature
        )
        if self._reporter is not None:
            self._report(self._reporter, loop, genotype, alpha)

    @staticmethod
    def _report(reporter: Reporter, loop, genotype: Genotype, alpha) -> None:
        step, space = loop.step, loop.space
        weights = loop.architecture.mixing_weights()
        reporter.mixing_weights(step, space, weights)
        reporter.image(step, "mixing_weights", genotypes.draw_alpha(space, weights))
        reporter.image(step, "cells", genotypes.draw_genotype(genotype))
        reporter.text(step, "genotype", f"```\n{genotype.to_json()}```")
        for spec in space.cells:
            candidates, beta = spec.parted(alpha[spec.name])
            reporter.histogram(step, f"alpha/{spec.name}", candidates)
            if beta is not None:
                reporter.histogram(step, f"beta/{spec.name}", beta)
        reporter.edge_weights(step, space, loop.architecture.edge_weights())


def finish_search(
    workdir: Workdir,
    loop,
    cost: Summary,
    config: SearchConfig,
    values: Mapping[str, object],
    devices: int = 1,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary."""
    genotype = loop.final_genotype()
    picture = write_genotype(workdir, genotype)
    skips = {n: genotype.count(loop.space.identity, n) for n in genotype.cells}
    outcome = {"skip_connections": skips} | alarms.outcome(loop, genotype)
    outcome |= nasbench201_oracle.result(config, genotype)
    if loop.space.name == nasbench201.SPACE.name:
        history = alpha_history.AlphaHistory(workdir.alpha, loop.space)
        cells = history.by_other_rules(loop.stop.taken if loop.stop else 0)
        outcome |= nasbench201_oracle.other_rules(config, cells)
    write_result(workdir, genotype, cost, config, values, outcome, devices)
    return f"""
Search finished: {cost.steps} steps in {duration(cost.seconds)}.
{alarms.format_outcome(outcome, config)}\
  genotype      {workdir.genotype}
  its picture   {picture}
{indented(genotype)}
{nasbench201_oracle.summary_line(config, genotype)}\
{nasbench201_oracle.other_rules_lines(outcome)}\
  watch         tensorboard --logdir={quoted(workdir.tensorboard)}
  next          {evaluation_command(workdir, config)}"""


class EvaluationRecords:
    """Shows sampled texts in TensorBoard at the end of an epoch."""

    def __init__(
        self, reporter: Reporter | None, task: Task, data, config: TrainingConfig
    ):
        self._reporter, self._task = reporter, task
        self._data, self._config = data, config

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Adds Markdown by name, at the epoch's last step."""
        del epoch, record
        if self._reporter is None:
            return
        texts = self._task.texts_for_tensorboard(loop, self._data, self._config)
        for name, markdown in texts.items():
            self._reporter.text(loop.step, name, markdown)


def write_genotype(workdir: Workdir, genotype: Genotype) -> Path:
    """Writes genotype.json and its pictures; returns the path of the first."""
    write_atomic(workdir.genotype, genotype.to_json())
    return genotypes.save_genotype(genotype, workdir.path / "genotype")[0]


def finish_evaluation(
    workdir: Workdir,
    loop,
    task: Task,
    data,
    cost: Summary,
    config: TrainingConfig,
    values: Mapping[str, object],
) -> str:
    """Reads the test part, once, if at all; writes result.json, returns the summary.

    All workers measure it together; the chief alone writes and has a summary. A
    training that is finished and has not read the test part reads it now, if it is
    to.
    """
    chief, result = loop.replicas.chief, {}
    if chief and workdir.result.exists():
        result = _earlier_result(workdir)
    measured = bool(result) and ("test" in result or not config.test)
    if not loop.replicas.total(measured):
        result = task.measured(loop, data, config)
        if chief:
            devices = loop.replicas.count
            write_result(workdir, loop.genotype, cost, config, values, result, devices)
    return _format_evaluation(workdir, task.summary(result), cost) if chief else ""


def _earlier_result(workdir: Workdir) -> dict:
    """Returns what an earlier start measured; {} where that is damaged."""
    try:
        result = workdir.read_result()
    except InputError:
        result = {}
    if "valid" in result and "genotype" in result:
        return result
    logging.warning("%s is damaged; measuring again.", shorten(str(workdir.result)))
    return {}


def _format_evaluation(
    workdir: Workdir, lines: list[tuple[str, str]], cost: Summary
) -> str:
    width = max(len(name) for name, _ in lines)
    measured = "\n".join(f"  {name:<{width}} {text}" for name, text in lines)
    return f"""
Evaluation finished: {cost.steps} steps in {duration(cost.seconds)}.
{measured}
  {"result":<{width}} {workdir.result}
  {"watch":<{width}} tensorboard --logdir={quoted(workdir.tensorboard)}
  {"next":<{width}} {command("export")} --workdir={quoted(workdir.path)}"""


def write_result(
    workdir: Workdir,
    genotype: Genotype,
    cost: Summary,
    config: Config,
    values: Mapping[str, object],
    measured: Mapping[str, object],
    devices: int = 1,
) -> None:
    """Writes result.json: the genotype, what was measured, settings and cost.

    The cost is `seconds` by the clock on `devices` that computed together (at
    the last start).
    """
    write_json_atomic(
        workdir.result,
        {
            "genotype": json.loads(genotype.to_json()),
            **measured,
            "seed": values["seed"],
            "flags": dict(values),
            "flags_hash": settings_files.digest(type(config), values),
            "versions": setup.versions(),
            "seconds": cost.seconds,
            "first_step_seconds": cost.first_step_seconds,
            "steps": cost.steps,
            "devices": devices,
        },
    )


def indented(genotype: Genotype) -> str:
    """Returns a genotype's lines, for a summary."""
    return "\n".join("    " + row for row in genotype.to_json().splitlines())
