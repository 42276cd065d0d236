"""Lists the numbered tasks of each stage, as array jobs need them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from darts_tf.protocol.plan import RANDOM, Plan, on_rungs, selected
from darts_tf.run.process.children import Child
from darts_tf.run.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Task:
    """One numbered piece of a stage.

    Attributes:
      name: "short_2" for number 2 of its stage.
      child: the process that does it. None: there is nothing to do, since
        another task has the same cell, or something is lacking.
      lacking: what has to be there before.
      target: the cost target of the part of the experiment that it belongs to, if any.
    """

    name: str
    child: Child | None = None
    lacking: str = ""
    target: str | None = None

    @property
    def finished(self) -> bool:
        """True if no work remains."""
        return not self.lacking and (not self.child or self.child.finished)


def search_tasks(plan: Plan) -> list[Task]:
    """Returns one task a seed and cost target: a search, or a random genotype."""
    return [
        _search(part, f"search_{number}", seed)
        for number, part, seed in plan.numbered(plan.seeds)
    ]


def short_tasks(plan: Plan) -> list[Task]:
    """Returns the short trainings of the cells, `cells_per_search` tasks a search.

    Number search * cells_per_search + place. A cell equal to one before is trained
    there. With selection rungs these are the tasks of the lowest one, and as many
    follow for each other rung: number rung * tasks of a rung + place trains the best,
    second best, ... of the rung below on.
    """
    tasks = [
        _short(part, f"short_{number}", key, known, lacking)
        for number, part, key, known, lacking in _cells(plan)
    ]
    rungs, count = on_rungs(plan) if len(plan.rungs) > 1 else [[]], len(tasks)
    for rung in range(1, len(plan.rungs)):
        keys = rungs[rung] if rung < len(rungs) else None
        for place in range(count):
            name = f"short_{rung * count + place}"
            tasks.append(_on_rung(plan, name, keys, rung, place))
    return tasks


def full_tasks(plan: Plan) -> list[Task]:
    """Returns one task a seed and cost target: a full training of the selected cell.

    A cell that an earlier target selected, too, is trained there.
    """
    keys, tasks = {part.target: selected(part) for part in plan.parts}, []
    first = {key: target for target, key in reversed(keys.items())}
    for number, part, seed in plan.numbered(range(plan.values["evaluate_seeds"])):
        name, key = f"full_{number}", keys[part.target]
        if key is None:
            lacking = "a finished short training"
            tasks.append(Task(name, lacking=lacking, target=part.target))
        elif first[key] != part.target:
            tasks.append(Task(name, target=part.target))
        else:
            folder = part.full(key, seed)
            tasks.append(_training(part, name, "evaluate_flags", key, folder, seed))
    return tasks


def snapshot_tasks(plan: Plan) -> list[Task]:
    """Returns `snapshots` tasks a search: short trainings of the cells of epochs.

    Number search * snapshots + place. Cells that have a task of stage "short",
    or a lower number here, are trained there.
    """
    known = {key for _, _, key, _, _ in _cells(plan) if key}
    count, tasks = plan.values["snapshots"], []
    for number, part, seed in plan.numbered(plan.seeds):
        finished = part.search_marker(seed).exists()
        keys = [part.add_cell(p) for p in part.epochs(seed)] if finished else []
        for place in range(count):
            name = f"snapshots_{number * count + place}"
            key = keys[place] if place < len(keys) else None
            if finished and key is None:  # fewer epochs than snapshots
                tasks.append(Task(name, target=part.target))
                continue
            tasks.append(_short(part, name, key, known, f"search_{number}"))
            known = known | {key}
    return tasks


STAGES = {
    "search": search_tasks,
    "short": short_tasks,
    "full": full_tasks,
    "snapshots": snapshot_tasks,
}
"""The stages in their order; each function lists the tasks at present."""


def _cells(plan: Plan):
    """Yields (number, part, key or None, keys before, what is lacking) of each cell.

    The number is that of the search * cells_per_search + the cell's place.
    """
    known: set[str | None] = set()
    for search, part, seed in plan.numbered(plan.seeds):
        for place, key in enumerate(part.cell_places(seed)):
            number = search * part.cells_per_search + place
            yield number, part, key, frozenset(known), f"search_{search}"
            known.add(key)


def _search(plan: Plan, name: str, seed: int) -> Task:
    values, folder = plan.values, plan.search(seed)
    if plan.strategy == RANDOM:
        command = (
            "derive",
            f"--random={seed}",
            f"--space={plan.space}",
            *_path_flags(values, "plugin"),
        )
    else:
        command = (
            "search",
            f"--flagfile={values['search_flags']}",
            f"--seed={seed}",
            *([f"--cost_target={plan.target}"] if plan.target else []),
            *_path_flags(values, "plugin", "data_dir", "nasbench201_table"),
            f"--same_data_as={plan.root}",
        )
    return _task(plan, name, command, folder, plan.search_marker(seed))


def _short(plan: Plan, name: str, key, known, lacking: str) -> Task:
    if key is None:
        return Task(name, lacking=lacking, target=plan.target)
    if key in known:
        return Task(name, target=plan.target)
    return _short_training(plan, name, key, 0)


def _on_rung(plan: Plan, name: str, keys, rung: int, place: int) -> Task:
    """Returns the task of the cell at a place of a rung above the lowest."""
    if keys is None:
        cells = len(plan.seeds) * plan.cells_per_search
        most = max(cells // plan.reduction**rung, 1)
        return Task(name, lacking=f"rung {rung}" if place < most else "")
    if place >= len(keys):
        return Task(name)
    return _short_training(plan, name, keys[place], rung)


def _short_training(plan: Plan, name: str, key: str, rung: int) -> Task:
    """Returns the short training of a cell up to the end of a rung."""
    leaves, part = plan.outcome_on(key, rung), ()
    if leaves != plan.short(key).result:
        part = (f"--stop_after_epochs={plan.rungs[rung]}",)
    folder = plan.short(key)
    how = {"test": False, "more": part, "leaves": leaves}
    return _training(plan, name, "short_flags", key, folder, 0, **how)


def _training(
    plan: Plan,
    name: str,
    flagfile: str,
    key: str,
    folder: Workdir,
    seed: int,
    test: bool = True,
    more: tuple[str, ...] = (),
    leaves: Path | None = None,
) -> Task:
    command = (
        "evaluate",
        f"--flagfile={plan.values[flagfile]}",
        f"--space={plan.space}",
        f"--genotype={plan.cell(key)}",
        f"--seed={seed}",
        "--test" if test else "--notest",
        *more,
        *_path_flags(plan.values, "plugin", "data_dir"),
        f"--same_data_as={plan.root}",
    )
    return _task(plan, name, command, folder, leaves or folder.result)


def _task(plan: Plan, name: str, command, folder: Workdir, leaves) -> Task:
    program, *arguments = command
    command = ("-m", "darts_tf.cli", program, *arguments, f"--workdir={folder.path}")
    child = Child(name, command, leaves, plan.log(name))
    return Task(name, child, target=plan.target)


def _path_flags(values: Mapping, *names: str) -> list[str]:
    return [f"--{name}={path}" for name in names if (path := values.get(name))]
