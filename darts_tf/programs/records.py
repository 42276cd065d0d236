"""What a search or an evaluation leaves in its folder, and says at its end."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Iterator

from darts_tf.cli import flag_values
from darts_tf.descent.replicas import Replicas
from darts_tf.programs import alarms, alpha_history, nasbench201_oracle, setup
from darts_tf.programs.task_registry import kind_of
from darts_tf.run.files import write_atomic, write_json_atomic
from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.driver import Summary
from darts_tf.run.loop.progress import duration
from darts_tf.run.pictures import genotypes
from darts_tf.run.tensorboard import Reporter
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype

CONFIGS = {
    "digits": "digits",
    "python_topics": "topics",
    "cifar100": "cifar100",
    "svhn_cropped": "svhn",
}
USUAL = {"darts_recurrent": "ptb", "nasbench201": "nasbench201"}
"""Folders of configs: by data set; by space for all others, or cifar10."""


def resumed_step(workdir: Workdir) -> int:
    """The step of the newest checkpoint, 0 without one."""
    return checkpoints.latest_step(workdir.checkpoints)


@contextlib.contextmanager
def reporting(workdir: Workdir, flags, replicas: Replicas) -> Iterator[Reporter | None]:
    """The run's TensorBoard, with its flags; the chief's only."""
    if not replicas.chief:
        yield None
        return
    step = resumed_step(workdir)
    with Reporter(workdir.tensorboard, step) as reporter:
        text = flag_values.as_flagfile(flag_values.values(flags))
        reporter.text(0, "flags", f"```\n{text}```")
        yield reporter


class SearchRecords:
    """Writes what an epoch of a search leaves: alpha, genotype, pictures."""

    def __init__(self, workdir: Workdir, reporter: Reporter, flags):
        self._workdir, self._reporter = workdir, reporter
        self._flags = flags

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Replaces what an earlier start left of this epoch."""
        del record
        genotype = loop.genotype()
        path = self._workdir.genotypes / f"epoch_{epoch:04d}.json"
        write_atomic(path, genotype.to_json())
        names = [spec.name for spec in loop.space.cells]
        alpha = dict(zip(names, loop.architecture.values(), strict=True))
        alpha_history.keep(
            self._workdir.alpha, epoch, alpha, loop.architecture.temperature
        )
        self._report(loop.step, loop, genotype, alpha)

    def _report(self, step, loop, genotype, alpha) -> None:
        weights = loop.architecture.mixing_weights()
        reporter = self._reporter
        reporter.mixing_weights(step, loop.space, weights)
        reporter.image(
            step, "mixing_weights", genotypes.draw_alpha(loop.space, weights)
        )
        reporter.image(step, "cells", genotypes.draw_genotype(genotype))
        reporter.text(step, "genotype", f"```\n{genotype.to_json()}```")
        for spec in loop.space.cells:
            candidates, beta = spec.parted(alpha[spec.name])
            reporter.histogram(step, f"alpha/{spec.name}", candidates)
            if beta is not None:
                reporter.histogram(step, f"beta/{spec.name}", beta)
        reporter.edge_weights(step, loop.space, loop.architecture.edge_weights())


def finish_search(workdir, loop, cost: Summary, flags, devices: int = 1) -> None:
    """genotype.json, result.json, pictures and the last words."""
    genotype = loop.found()
    write_atomic(workdir.genotype, genotype.to_json())
    files = genotypes.save_genotype(genotype, workdir.path / "genotype")
    skips = {n: genotype.count(loop.space.identity, n) for n in genotype.cells}
    outcome = alarms.outcome(loop, genotype) | nasbench201_oracle.result(
        flags, genotype
    )
    outcome = {"skip_connections": skips} | outcome
    write_result(workdir, genotype, cost, flags, outcome, devices)
    print(f"""
Search finished: {cost.steps} steps in {duration(cost.seconds)}.
{alarms.told(outcome, flags)}\
  genotype      {workdir.genotype}
  its picture   {files[0]}
{indented(genotype)}
{nasbench201_oracle.told(flags, genotype)}\
  watch         tensorboard --logdir={quoted(workdir.tensorboard)}
  next          {evaluation_command(workdir, flags)}""")


def evaluation_command(workdir, flags) -> str:
    """The command that evaluates what a search has found."""
    configs = {} if flags.space == "nasbench201" else CONFIGS
    folder = configs.get(flags.dataset, USUAL.get(flags.space, "cifar10"))
    words = [
        "python -m train.evaluate",
        f"--flagfile=configs/{folder}/evaluate.flags",
        f"--genotype={quoted(workdir.genotype)}",
    ]
    if flags.space not in ("darts_conv", *USUAL):
        words.append(f"--space={flags.space}")
    if flags.dataset not in (*configs, "cifar10", "text_folder"):
        words.append(f"--dataset={flags.dataset}")
    if flags.data_dir:
        words.append(f"--data_dir={quoted(flags.data_dir)}")
    return " ".join([*words, "--workdir=..."])


class EvaluationRecords:
    """Shows what an epoch of a training leaves: sampled texts."""

    def __init__(self, reporter: Reporter, data, flags):
        self._reporter, self._data, self._flags = reporter, data, flags

    def on_epoch(self, epoch: int, loop, record) -> None:
        """Markdown by name, at the epoch's last step."""
        del epoch, record
        texts = kind_of(self._flags.space).shown(loop, self._data, self._flags)
        for name, markdown in texts.items():
            self._reporter.text(loop.step, name, markdown)


def keep_genotype(workdir: Workdir, genotype: Genotype) -> None:
    """genotype.json and its pictures, for an evaluation."""
    write_atomic(workdir.genotype, genotype.to_json())
    genotypes.save_genotype(genotype, workdir.path / "genotype")


def finish_evaluation(workdir, loop, data, cost: Summary, flags) -> None:
    """Reads the test part, once; result.json and the last words.

    All workers measure it together, and the chief tells.
    """
    chief, result = loop.replicas.chief, None
    if chief and workdir.result.exists():
        result = json.loads(workdir.result.read_text("utf-8"))
    if not loop.replicas.total(result is not None):
        result = kind_of(flags.space).measured(loop, data, flags)
        if chief:
            devices = loop.replicas.count
            write_result(workdir, loop.genotype, cost, flags, result, devices)
    if chief:
        _tell(workdir, result, cost, flags)


def _tell(workdir, result: dict, cost: Summary, flags) -> None:
    lines = kind_of(flags.space).told(result)
    width = max(len(name) for name, _ in lines)
    told = "\n".join(f"  {name:<{width}} {text}" for name, text in lines)
    print(f"""
Evaluation finished: {cost.steps} steps in {duration(cost.seconds)}.
{told}
  {"result":<{width}} {workdir.result}
  {"watch":<{width}} tensorboard --logdir={quoted(workdir.tensorboard)}
  {"next":<{width}} python -m train.export --workdir={quoted(workdir.path)}""")


def write_result(workdir, genotype: Genotype, cost, flags, measured, devices: int = 1):
    """result.json: what was found and measured, by which flags, at what cost.

    That is `seconds` by the clock on `devices` that computed together (at
    the last start).
    """
    named = flag_values.values(flags)
    write_json_atomic(
        workdir.result,
        {
            "genotype": json.loads(genotype.to_json()),
            **measured,
            "seed": flags.seed,
            "flags": named,
            "flags_hash": flag_values.digest(named),
            "versions": setup.versions(),
            "seconds": cost.seconds,
            "first_step_seconds": cost.first_step_seconds,
            "steps": cost.steps,
            "devices": devices,
        },
    )


def quoted(path) -> str:
    """A path for a shell."""
    return shlex.quote(str(path))


def indented(genotype: Genotype) -> str:
    """A genotype's lines, for last words."""
    return "\n".join("    " + row for row in genotype.to_json().splitlines())
