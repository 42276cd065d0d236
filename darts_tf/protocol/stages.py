"""Runs an experiment's stages, whole or one task of them.

What fails is told, and all else that can be done is done. Started again,
finished tasks are passed over and all others tried again, each from its own
checkpoint. How a task ended is kept as JSON {"code", "seconds", "log"}, for
whoever reports; a task that was only told to stop leaves none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import tqdm

from darts_tf.errors import InputError
from darts_tf.protocol.plan import Plan
from darts_tf.protocol.tasks import STAGES, Task
from darts_tf.run import children
from darts_tf.run.files import write_json_atomic
from darts_tf.run.progress import duration
from darts_tf.run.stopping import StopRequest, exit_code


def run_stage(
    plan: Plan,
    stage: str,
    stop: StopRequest,
    groups: Sequence[Sequence[str] | None] = (None,),
) -> None:
    """Does all of a stage that is left and can be done.

    Args:
      plan: the experiment.
      stage: one of `STAGES`.
      stop: whose signal is handed on to the processes.
      groups: of GPUs, one for each process at a time.
    """
    tasks = STAGES[stage](plan)
    if not tasks:
        return
    left = [t for t in tasks if t.child and not t.finished]
    done = sum(task.finished for task in tasks)
    for task in left:
        plan.outcome(task.name).unlink(missing_ok=True)
    with tqdm.tqdm(
        desc=stage, total=len(tasks), initial=done, unit="task",
        disable=not sys.stderr.isatty(), dynamic_ncols=True,
    ) as bar:  # fmt: skip
        bar.write(f"{stage}: {done} of {len(tasks)} tasks finished",
                  file=sys.stderr)  # fmt: skip
        ended_ones = children.run_all([t.child for t in left], stop, groups)
        for ended in ended_ones:
            _keep(plan, ended, stop)
            bar.update(ended.finished)
            bar.write(_line(ended), file=sys.stderr)
        for task in tasks:
            if task.lacking:
                bar.write(f"{task.name}: not begun; it needs {task.lacking}",
                          file=sys.stderr)  # fmt: skip


def run_task(
    plan: Plan,
    stage: str,
    number: int,
    stop: StopRequest,
    gpus: Sequence[str] | None = None,
) -> int:
    """Does one task of a stage; returns the exit code.

    Raises:
      InputError: there is no such task, or it cannot begin yet.
    """
    tasks = STAGES[stage](plan)
    if number >= len(tasks):
        raise InputError(
            f"--task={number}: stage {stage} has {len(tasks)} tasks, counted "
            f"from 0"
        )
    task = tasks[number]
    if task.lacking:
        raise InputError(
            f"{task.name} cannot begin: it needs {task.lacking}; run that "
            f"first"
        )
    if task.finished:
        print(f"{task.name}: nothing to do")
        _keep_nothing_to_do(plan, task)
        return 0
    plan.outcome(task.name).unlink(missing_ok=True)
    ended = children.run(task.child, stop, gpus)
    _keep(plan, ended, stop)
    print(_line(ended), file=sys.stderr)
    return 0 if ended.finished else children.parents_code(ended, stop)


def missing(plan: Plan, stages: Sequence[str] = tuple(STAGES)) -> list[str]:
    """A line for each task that is not finished: why, as far as known."""
    return [
        _why(plan, task)
        for stage in stages
        for task in STAGES[stage](plan)
        if not task.finished
    ]


def stopped(stop: StopRequest) -> int | None:
    """The exit code after a signal; None where there was none."""
    if not stop.signal:
        return None
    print(
        f"stopped by {stop.signal.name}; the same command goes on from there",
        file=sys.stderr,
    )
    return exit_code(stop.signal)


def last_words(log: Path) -> str:
    """The last line that a task printed, "" for none."""
    if not log.exists():
        return ""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _keep(plan: Plan, ended: children.Ended, stop: StopRequest) -> None:
    """Not of a task that was told to stop: it has not ended."""
    if not ended.finished and (stop.signal or ended.code == 0):
        return
    _write(plan, ended.child.name, ended.code, ended.seconds)


def _keep_nothing_to_do(plan: Plan, task: Task) -> None:
    if not plan.outcome(task.name).exists():
        _write(plan, task.name, 0, 0.0)


def _write(plan: Plan, name: str, code: int, seconds: float) -> None:
    path = plan.outcome(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"code": code, "seconds": seconds, "log": str(plan.log(name))}
    write_json_atomic(path, found)


def _line(ended: children.Ended) -> str:
    name, took = ended.child.name, duration(ended.seconds)
    if ended.finished:
        return f"{name}: finished in {took}"
    if ended.code == 0:
        return f"{name}: stopped after {took}"
    return f"{name}: {_failure(ended.code, ended.child.log)}"


def _failure(code: int, log: Path) -> str:
    words = last_words(log)
    return f"failed with exit code {code} ({words or 'no word'}), see {log}"


def _why(plan: Plan, task: Task) -> str:
    if task.lacking:
        return f"{task.name}: not begun; it needs {task.lacking}"
    path = plan.outcome(task.name)
    if not path.exists():
        return f"{task.name}: not finished"
    code = json.loads(path.read_text("utf-8"))["code"]
    return f"{task.name}: {_failure(code, plan.log(task.name))}"
