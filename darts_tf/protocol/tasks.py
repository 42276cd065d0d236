"""Lists the numbered tasks of each stage, as array jobs need them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from darts_tf.protocol.plan import RANDOM, Plan, selected
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
    """

    name: str
    child: Child | None = None
    lacking: str = ""

    @property
    def finished(self) -> bool:
        """True if no work remains."""
        return not self.lacking and (not self.child or self.child.finished)


def search_tasks(plan: Plan) -> list[Task]:
    """Returns one task a seed: a search, or a random genotype."""
    return [_search(plan, seed) for seed in plan.seeds]


def short_tasks(plan: Plan) -> list[Task]:
    """Returns one task a seed: the short training of its cell.

    A cell equal to that of a lower seed is trained there.
    """
    return [
        _short(plan, f"short_{seed}", key, known, f"search_{seed}")
        for seed, key, known in _cells(plan)
    ]


def full_tasks(plan: Plan) -> list[Task]:
    """Returns one task a seed: a full training of the selected cell."""
    key, tasks = selected(plan), []
    for seed in range(plan.values["evaluate_seeds"]):
        name = f"full_{seed}"
        if key is None:
            tasks.append(Task(name, lacking="a finished short training"))
            continue
        folder = plan.full(key, seed)
        tasks.append(_training(plan, name, "evaluate_flags", key, folder, seed))
    return tasks


def snapshot_tasks(plan: Plan) -> list[Task]:
    """Returns `snapshots` tasks a seed: short trainings of the cells of epochs.

    Number seed * snapshots + place. Cells that have a task of stage "short",
    or a lower number here, are trained there.
    """
    known = {key for _, key, _ in _cells(plan) if key}
    count, tasks = plan.values["snapshots"], []
    for seed in plan.seeds:
        finished = plan.search_marker(seed).exists()
        keys = [plan.add_cell(p) for p in plan.epochs(seed)] if finished else []
        for place in range(count):
            name = f"snapshots_{seed * count + place}"
            key = keys[place] if place < len(keys) else None
            if finished and key is None:  # fewer epochs than snapshots
                tasks.append(Task(name))
                continue
            tasks.append(_short(plan, name, key, known, f"search_{seed}"))
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
    """Yields (seed, key of its cell or None, keys of all lower seeds)."""
    known: set[str | None] = set()
    for seed in plan.seeds:
        key = plan.cell_key(seed)
        yield seed, key, frozenset(known)
        known.add(key)


def _search(plan: Plan, seed: int) -> Task:
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
            *_path_flags(values, "plugin", "data_dir", "nasbench201_table"),
        )
    name = f"search_{seed}"
    return _task(plan, name, command, folder, plan.search_marker(seed))


def _short(plan: Plan, name: str, key, known, lacking: str) -> Task:
    if key is None:
        return Task(name, lacking=lacking)
    if key in known:
        return Task(name)
    folder = plan.short(key)
    return _training(plan, name, "short_flags", key, folder, 0, test=False)


def _training(
    plan: Plan,
    name: str,
    flagfile: str,
    key: str,
    folder: Workdir,
    seed: int,
    test: bool = True,
) -> Task:
    command = (
        "evaluate",
        f"--flagfile={plan.values[flagfile]}",
        f"--space={plan.space}",
        f"--genotype={plan.cell(key)}",
        f"--seed={seed}",
        "--test" if test else "--notest",
        *_path_flags(plan.values, "plugin", "data_dir"),
    )
    return _task(plan, name, command, folder, folder.result)


def _task(plan: Plan, name: str, command, folder: Workdir, leaves) -> Task:
    program, *arguments = command
    command = ("-m", "darts_tf.cli", program, *arguments, f"--workdir={folder.path}")
    return Task(name, Child(name, command, leaves, plan.log(name)))


def _path_flags(values: Mapping, *names: str) -> list[str]:
    return [f"--{name}={path}" for name in names if (path := values.get(name))]
