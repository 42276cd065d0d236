"""Files that a search or an evaluation leaves, and its printed summary."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from darts_tf.config import Config, DerivationConfig, SearchConfig, TrainingConfig
from darts_tf.config_rules import is_text
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError, shorten
from darts_tf.programs import (
    alarms,
    alpha_history,
    derived_costs,
    nasbench201_oracle,
    report,
    setup,
)
from darts_tf.programs.commands import command, quoted, watch_command
from darts_tf.programs.next_command import evaluation_command
from darts_tf.programs.peak_memory import larger, peak_memory
from darts_tf.programs.task import Task
from darts_tf.run import settings_files
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import Summary
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.tensorboard import PICTURES, Reporter, events_folder
from darts_tf.run.time_budget import TimeBudget
from darts_tf.run.workdir import LIKELY_WITHIN, Workdir
from darts_tf.space import nasbench201
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.diagnostics.other_rules import derive_by_other_rules

DRAWING_SECONDS = 10.0
"""What pictures in TensorBoard may take beyond their share of a search's time."""


def resumed_step(workdir: Workdir) -> int:
    """Returns the step of the newest checkpoint, 0 without one."""
    return checkpoints.latest_step(workdir.checkpoints)


@contextlib.contextmanager
def reporting(
    workdir: Workdir,
    config: Config,
    values: Mapping[str, object],
    replicas: Replicas,
) -> Iterator[Reporter | None]:
    """Opens the run's TensorBoard, with its settings; None but for the chief."""
    if not replicas.chief:
        yield None
        return
    with open_reporter(workdir, config, resumed_step(workdir)) as reporter:
        text = settings_files.as_flagfile(values)
        reporter.text(0, "flags", f"```\n{text}```")
        reporter.settings(str(workdir.path), values)
        yield reporter


def open_reporter(workdir: Workdir, config: Config, step: int) -> Reporter:
    """Returns a reporter of a run, under the name of its program."""
    folder = events_folder(workdir.path)
    space = getattr(config, "space", None)
    return Reporter(folder, step, None if space is None else space_by_name(space))


class SearchRecords:
    """Writes alpha, the genotype and pictures at the end of an epoch."""

    def __init__(self, workdir: Workdir, reporter: Reporter | None):
        self._workdir, self._reporter = workdir, reporter
        self._reports = report.EpochReports(workdir)
        self._drawing = TimeBudget(report.SHARE, DRAWING_SECONDS)

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Writes the epoch's files over those that an earlier start left."""
        del record
        genotype = loop.genotype()
        path = self._workdir.genotypes / f"epoch_{epoch:04d}.json"
        write_atomic(path, genotype.to_json())
        cells = [spec.name for spec in loop.space.cells]
        alpha = dict(zip(cells, loop.architecture.values(), strict=True))
        alpha_history.keep(
            self._workdir.alpha,
            epoch,
            alpha,
            loop.architecture.temperature,
            loop.architecture.relaxation,
        )
        if self._reporter is not None:
            self._report(self._reporter, loop, genotype, alpha)
            self._reports.on_epoch()

    def _report(self, reporter: Reporter, loop, genotype: Genotype, alpha) -> None:
        step, space = loop.step, loop.space
        weights = loop.architecture.mixing_weights()
        reporter.mixing_weights(step, space, weights)
        if self._drawing.left or step == loop.total_steps:
            with self._drawing.spending():
                self._draw(reporter, loop, genotype, weights)
        reporter.text(step, "genotype", f"```\n{genotype.to_json()}```")
        for spec in space.cells:
            candidates, beta = spec.parted(alpha[spec.name])
            present = candidates[np.isfinite(candidates)]
            reporter.histogram(step, f"weights_alpha/{spec.name}", present)
            if beta is not None:
                reporter.histogram(step, f"weights_beta/{spec.name}", beta)
        reporter.edge_weights(step, space, loop.architecture.edge_weights())

    def _draw(self, reporter: Reporter, loop, genotype: Genotype, weights) -> None:
        """Draws the curves of all epochs so far, the weights now and the cells."""
        step, space = loop.step, loop.space
        history = alpha_history.AlphaHistory(self._workdir.alpha, space)
        for cell, curves in history.mixing_weights().items():
            by_epoch = genotypes.draw_alpha_history(space, {cell: curves}, genotype)
            reporter.image(step, f"{PICTURES}/weights_by_epoch_{cell}", by_epoch)
            now = genotypes.draw_alpha(space, {cell: weights[cell]}, genotype)
            reporter.image(step, f"{PICTURES}/weights_now_{cell}", now)
        reporter.image(step, f"{PICTURES}/cells", genotypes.draw_genotype(genotype))


def finish_search(
    workdir: Workdir,
    loop,
    cost: Summary,
    config: SearchConfig,
    values: Mapping[str, object],
    devices: int = 1,
) -> str:
    """Writes genotype.json, result.json and pictures; returns the summary."""
    strongest, penalty = loop.final_genotype(), loop.cost_penalty
    alpha = _final_alpha(workdir, loop)
    tables = () if penalty is None else penalty.costs.tables
    targets = derived_costs.targets_of(tables, config)
    likely = alpha_history.most_likely(loop.space, alpha, targets)
    alpha_history.write_likely(workdir.likely, likely)
    genotype = alpha_history.derived_genotype(strongest, likely, targets)
    picture = write_genotype(workdir, genotype)
    skips = {n: genotype.count(loop.space.identity, n) for n in genotype.cells}
    outcome = {"skip_connections": skips} | alarms.outcome(loop, genotype)
    outcome |= nasbench201_oracle.result(config, genotype)
    if targets is not None:
        outcome[LIKELY_WITHIN] = all(map(targets.within, likely))
    if loop.space.name == nasbench201.SPACE.name:
        cells = derive_by_other_rules(loop.space, *alpha)
        outcome |= nasbench201_oracle.other_rules(config, cells)
    costs = penalty.outcome(genotype) if penalty is not None else {}
    costs = derived_costs.beside_strongest(costs, tables, genotype, strongest)
    outcome |= {"cost": costs} if costs else {}
    write_result(workdir, genotype, cost, config, values, outcome, devices)
    return f"""
Search finished: {cost.steps} steps in {duration(cost.seconds)}.
{alarms.format_outcome(outcome, config)}\
  genotype      {workdir.genotype}
  its picture   {picture}
{indented(genotype)}
{derived_costs.lines(costs)}\
{nasbench201_oracle.summary_line(config, genotype)}\
{nasbench201_oracle.other_rules_lines(outcome)}\
  watch         {watch_command(workdir.path)}
  next          {evaluation_command(workdir, config)}"""


def _final_alpha(workdir: Workdir, loop) -> alpha_history.Alpha:
    """Returns the alpha of which `loop.final_genotype` is derived."""
    if loop.stop:
        history = alpha_history.AlphaHistory(workdir.alpha, loop.space)
        return history.after(loop.stop.taken)
    state = loop.architecture
    return state.values(), state.temperature, state.relaxation


class EvaluationRecords:
    """Writes the report and shows sampled texts in TensorBoard, after an epoch."""

    def __init__(
        self,
        workdir: Workdir,
        reporter: Reporter | None,
        task: Task,
        data,
        config: TrainingConfig,
    ):
        self._reporter, self._task = reporter, task
        self._data, self._config = data, config
        self._reports = report.EpochReports(workdir)

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Adds Markdown by name, at the epoch's last step."""
        del epoch, record
        if self._reporter is None:
            return
        texts = self._task.texts_for_tensorboard(loop, self._data, self._config)
        for name, markdown in texts.items():
            self._reporter.text(loop.step, name, markdown)
        self._reports.on_epoch()


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
    measured = "valid" in result and ("test" in result or not config.test)
    if not loop.replicas.total(measured):
        result = task.measured(loop, data, config)
        if chief:
            devices = loop.replicas.count
            write_confusion(workdir, result.pop("confusion", None))
            task.write_example(data, workdir.example)
            write_result(workdir, loop.genotype, cost, config, values, result, devices)
    return _format_evaluation(workdir, task.summary(result), cost) if chief else ""


def finish_part(
    workdir: Workdir,
    loop,
    task: Task,
    data,
    cost: Summary,
    config: TrainingConfig,
) -> str:
    """Writes after_N_epochs.json of a training that goes on later; returns a summary.

    It holds "valid", the measures of the held out part, and the cost so far. The test
    part is not read.
    """
    divided = config.valid_fraction > 0 or is_text(config.space)
    valid = task.validated(loop, data, config) if divided else {}
    if not loop.replicas.chief:
        return ""
    epochs = loop.step // loop.steps_per_epoch
    part = {"epochs": epochs, "valid": valid, "seconds": cost.seconds}
    path = workdir.after_epochs(epochs)
    write_json_atomic(path, part | {"devices": loop.replicas.count})
    return f"""
Stopped after {epochs} of {config.epochs} epochs, {cost.steps} steps in \
{duration(cost.seconds)}.
  measured      {path}
  goes on by    the same command with more --stop_after_epochs, or without"""


def write_confusion(workdir: Workdir, counts: Mapping[str, np.ndarray] | None) -> None:
    """Writes confusion.npz: by part ("test" or "valid") images by label and answer.

    Args:
      workdir: of the evaluation.
      counts: int64 [K, K] by part; None: nothing is written.
    """
    if counts is not None:
        arrays: dict[str, Any] = dict(counts)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        write_atomic(workdir.confusion, buffer.getvalue())


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
  {"watch":<{width}} {watch_command(workdir.path)}
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
    the last start), and `peak_memory` in bytes by place (of the last start).
    Writes report.html too, and the results into TensorBoard's HParams tab.
    """
    result = {
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
        "peak_memory": larger(peak_memory(), _earlier_peak(workdir)),
    }
    write_json_atomic(workdir.result, result)
    with open_reporter(workdir, config, cost.steps) as reporter:
        reporter.result(cost.steps, result)
    if not isinstance(config, DerivationConfig):
        report.write(workdir.path)


def _earlier_peak(workdir: Workdir) -> dict[str, int]:
    """Returns the peak memory in result.json; a repeated run trains no more."""
    try:
        return workdir.read_result().get("peak_memory", {})
    except InputError:  # there is none, or it is damaged and written anew
        return {}


def indented(genotype: Genotype) -> str:
    """Returns a genotype's lines, for a summary."""
    return "\n".join("    " + row for row in genotype.to_json().splitlines())
