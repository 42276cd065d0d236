"""Runs an experiment's stages, as a whole or one task at a time.

Failures are printed, and all other tasks are done. A new start skips finished
tasks and tries all others again, each from its own checkpoint. A task's outcome
is a JSON file {"code", "seconds", "log"}; an interrupted task leaves none.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import tqdm

from darts_tf.errors import InputError
from darts_tf.protocol.plan import Plan
from darts_tf.protocol.tasks import STAGES, Task
from darts_tf.reading import read_json
from darts_tf.run.files import write_json_atomic
from darts_tf.run.loop.progress import duration
from darts_tf.run.loop.stopping import exit_code
from darts_tf.run.process import children


def run_stage(
    plan: Plan,
    stage: str,
    parent: children.Parent,
    groups: Sequence[Sequence[str] | None] = (None,),
) -> None:
    """Does all of a stage that is unfinished and can be done.

    Where its end lets others begin, as on the next rung of a selection, those too.

    Args:
      plan: the experiment.
      stage: one of `STAGES`.
      parent: starts the processes.
      groups: the GPUs of each process at a time.
    """
    tried: set[str] = set()
    while not parent.signal:
        tasks = STAGES[stage](plan)
        left = [t.child for t in tasks if t.child and not t.finished]
        left = [child for child in left if child.name not in tried]
        if not tasks or (tried and not left):
            return
        _run_tasks(plan, stage, tasks, left, parent, groups)
        tried |= {child.name for child in left}
        if not left:
            return


def _run_tasks(
    plan: Plan,
    stage: str,
    tasks: Sequence[Task],
    left: Sequence[children.Child],
    parent: children.Parent,
    groups: Sequence[Sequence[str] | None],
) -> None:
    """Runs the children that are left of a stage's tasks; prints what is lacking."""
    for child in left:
        plan.outcome(child.name).unlink(missing_ok=True)
    done = sum(task.finished for task in tasks)
    with tqdm.tqdm(
        desc=stage,
        total=len(tasks),
        initial=done,
        unit="task",
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
        nrows=2,  # else none is shown where the terminal does not tell its size
    ) as bar:
        write_line = functools.partial(bar.write, file=sys.stderr)
        place = f"stage {[*STAGES].index(stage) + 1} of {len(STAGES)}"
        write_line(f"{stage} ({place}): {done} of {len(tasks)} tasks finished")
        for task in tasks:
            if task.lacking:
                write_line(_reason(plan, task))
        started = time.monotonic()
        for number, ended in enumerate(parent.run_all(left, groups), 1):
            line = _record(plan, ended, parent)
            seconds = (time.monotonic() - started) / number * (len(left) - number)
            write_line(f"{line}{_left(stage, len(left) - number, seconds)}")
            bar.update(ended.finished)
            if parent.signal:
                break


def _left(stage: str, tasks: int, seconds: float) -> str:
    """Returns the end of a line: what is left of a stage, at the pace so far."""
    if not tasks:
        return f"; {stage}: none left"
    return f"; {stage}: {tasks} left, about {duration(seconds)}"


def run_task(
    plan: Plan,
    stage: str,
    number: int,
    parent: children.Parent,
    gpus: Sequence[str] | None = None,
) -> int:
    """Does one task of a stage and returns the exit code.

    Raises:
      InputError: there is no such task, or it cannot begin yet.
    """
    tasks = STAGES[stage](plan)
    if number >= len(tasks):
        raise InputError(
            f"`task={number}`: stage {stage} has {len(tasks)} tasks, counted from 0"
        )
    task = tasks[number]
    if task.lacking:
        raise InputError(
            f"{task.name} cannot begin: it needs {task.lacking}; run that first"
        )
    if task.child is None or task.finished:
        print(f"{task.name}: nothing to do")
        _record_nothing_to_do(plan, task)
        return 0
    plan.outcome(task.name).unlink(missing_ok=True)
    ended = parent.run(task.child, gpus)
    print(_record(plan, ended, parent), file=sys.stderr)
    return 0 if ended.finished else parent.code(ended)


def missing(plan: Plan, stages: Sequence[str] = tuple(STAGES)) -> list[str]:
    """Returns a line for each unfinished task, with the reason if it is known.

    Of the part of an experiment those of its target.
    """
    return [
        _reason(plan, task)
        for stage in stages
        for task in STAGES[stage](plan.whole)
        if not task.finished and plan.target in (None, task.target)
    ]


def stopped(parent: children.Parent) -> int | None:
    """Returns the exit code after a signal; None without a signal."""
    if not parent.signal:
        return None
    print(
        f"stopped by {parent.signal.name}; the same command goes on from there",
        file=sys.stderr,
    )
    return exit_code(parent.signal)


def last_line(log: Path) -> str:
    """Returns the last line that a task printed, or ""."""
    if not log.exists():
        return ""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _record(plan: Plan, ended: children.ChildExit, parent: children.Parent) -> str:
    """Records a task's outcome and describes it; an interrupted task has none."""
    name, took = ended.child.name, duration(ended.seconds)
    if not ended.finished and (parent.signal or ended.code == 0):
        return f"{name}: stopped after {took}"
    _write_outcome(plan, name, ended.code, ended.seconds)
    if ended.finished:
        return f"{name}: finished in {took}"
    return f"{name}: {_failure(ended.code, ended.child.log)}"


def _record_nothing_to_do(plan: Plan, task: Task) -> None:
    if not plan.outcome(task.name).exists():
        _write_outcome(plan, task.name, 0, 0.0)


def _write_outcome(plan: Plan, name: str, code: int, seconds: float) -> None:
    path = plan.outcome(name)
    path.parent.mkdir(exist_ok=True)
    outcome = {"code": code, "seconds": seconds, "log": str(plan.log(name))}
    write_json_atomic(path, outcome)


def _failure(code: int, log: Path | None) -> str:
    line = last_line(log) if log else ""
    return f"failed with exit code {code} ({line or 'no output'}), see {log}"


def _reason(plan: Plan, task: Task) -> str:
    if task.lacking:
        return f"{task.name}: not begun; it needs {task.lacking}"
    path = plan.outcome(task.name)
    if not path.exists():
        return f"{task.name}: not finished"
    try:
        code = read_json(path)["code"]
    except (OSError, ValueError, TypeError, KeyError):  # damaged
        return f"{task.name}: not finished"
    return f"{task.name}: {_failure(code, plan.log(task.name))}"
