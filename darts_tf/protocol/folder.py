"""Claims and reads the folder of an experiment."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from darts_tf.config import ExperimentConfig
from darts_tf.errors import InputError
from darts_tf.protocol import flagfiles
from darts_tf.protocol.command_line import (
    COUNTS,
    FLAGFILES,
    FREE_FLAGS,
    as_flagfile,
    check_space_name,
    read_flagfile,
)
from darts_tf.protocol.plan import Plan, flat, plan_of
from darts_tf.reading import expanded
from darts_tf.run import settings_files
from darts_tf.run.files import remove_temporary, write_atomic
from darts_tf.run.lock import FolderInUse
from darts_tf.run.workdir import Workdir, open_workdir, read_settings

PATIENCE_SECONDS = 60.0  # the wait for other tasks of an array job


def make_plan(values: Mapping[str, Any]) -> Plan:
    """Returns the plan that the arguments make, after checking them.

    Args:
      values: the experiment's arguments, by name.

    Raises:
      InputError: a flagfile that is missing or does not fit.
    """
    # Absolute: children receive paths and may run in another folder.
    root = expanded(values["workdir"]).absolute()
    names = [name for name in FLAGFILES if values[name] is not None]
    contents = {name: read_flagfile(name, values[name]) for name in names}
    plan = Plan(root, values, contents)
    check_space_name("space", plan.space)
    for name in FLAGFILES[1:]:
        flagfiles.check_space(name, values[name], contents[name], plan.space)
    short = "short_flags"
    flagfiles.check_selects(values[short], contents[short], plan.space)
    flagfiles.check_targets(values, contents, plan.space)
    if not plan.rungs[0]:
        least = plan.reduction ** (len(plan.rungs) - 1)
        raise InputError(
            f"`selection_rungs={len(plan.rungs)}` with `selection_reduction="
            f"{plan.reduction}` needs at least {least} epochs for one on the lowest "
            f"rung, and `short_flags={values[short]}` has {plan.rungs[-1]}; give fewer "
            "rungs or more epochs"
        )
    if plan.cells_per_search > 1 and not plan.relaxed:
        raise InputError(
            f"`cells_per_search={plan.cells_per_search}` are the most likely cells of "
            f"a search's alpha, and {plan.strategy} has none; leave it out"
        )
    if values["snapshots"] and not plan.relaxed:
        raise InputError(
            f"`snapshots={values['snapshots']}` are cells of a search's "
            f"epochs, and {plan.strategy} has none; leave it out"
        )
    return plan


@contextlib.contextmanager
def claim(plan: Plan, alone: bool) -> Iterator[None]:
    """Claims the folder, which must be new or belong to this experiment.

    Args:
      plan: the experiment.
      alone: holds the folder throughout, so that no other process uses it.
        Otherwise it is held for a moment only; each run below it is locked
        by itself.

    Raises:
      InputError: the folder belongs to another run, or counts were lowered.
    """
    if not settings_files.exists(plan.root):
        # Often the short and the full training have one flagfile.
        different = {
            (flagfiles.PROGRAMS[name], plan.values[name]): name
            for name in plan.contents
        }
        target = (plan.values.get("cost_targets") or [None])[0]
        for (_, path), name in different.items():
            flagfiles.check_parses(name, path, plan.values["plugin"], target)
    workdir = _open(plan, 0.0 if alone else PATIENCE_SECONDS)
    with workdir:
        if alone:
            for folder in ("cells", "tasks"):
                remove_temporary(plan.root / folder)
            yield
    if not alone:
        yield


def load_plan(path: str) -> Plan:
    """Returns the plan of an existing folder, to read it.

    Raises:
      InputError: it is not that of an experiment.
    """
    root = expanded(path).absolute()
    stored = read_settings(root)
    _check_experiment(root, stored)
    return plan_of(root, stored)


def is_experiment(stored: Mapping[str, object]) -> bool:
    """Returns True if the stored arguments are those of an experiment."""
    return set(COUNTS) <= stored.keys()


def _open(plan: Plan, patience: float) -> Workdir:
    flags = {n: v for n, v in plan.values.items() if n not in ("stage", "task")}
    values, text = flags | flat(plan.contents), as_flagfile(flags)
    end = time.monotonic() + patience
    if settings_files.exists(plan.root):
        _check_experiment(plan.root, read_settings(plan.root))
    while True:
        try:
            workdir = open_workdir(
                plan.root,
                values,
                text,
                program="experiment",
                ignored=(*FREE_FLAGS, *COUNTS),
                folders=(),
                defaults={
                    f.name: f.default for f in dataclasses.fields(ExperimentConfig)
                },
            )
            break
        except FolderInUse:
            if time.monotonic() >= end:
                raise
            time.sleep(0.1)
    try:
        _raise_counts(plan, read_settings(plan.root), values, text)
    except BaseException:
        workdir.close()
        raise
    return workdir


def _check_experiment(root: Path, stored: Mapping[str, object]) -> None:
    if not is_experiment(stored):
        raise InputError(
            f"{root} holds a run that is no experiment; give another folder"
        )


def _raise_counts(plan: Plan, stored: dict, values: dict, text: str) -> None:
    for name in COUNTS:
        if values[name] < stored[name]:
            raise InputError(
                f"`{name}={values[name]}`: the experiment has {stored[name]}; "
                f"it may be raised, not lowered; give another `workdir`"
            )
    if values != stored:
        write_atomic(plan.root / "flags.txt", text)
        settings_files.write(plan.root, "experiment", values)
