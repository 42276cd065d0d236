"""The folder of an experiment: whose it is, and who may write there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from darts_tf.config import ExperimentConfig
from darts_tf.config_rules import check_space_name
from darts_tf.errors import InputError
from darts_tf.protocol import flagfiles
from darts_tf.protocol.flagfiles import FLAGFILES
from darts_tf.protocol.plan import Plan, flat, plan_of
from darts_tf.run import settings_files
from darts_tf.run.files import write_atomic
from darts_tf.run.lock import FolderInUse
from darts_tf.run.workdir import Workdir, open_workdir, read_settings

COUNTS = settings_files.free_names(ExperimentConfig, "budget")
"""Names whose values may be raised when an experiment is resumed."""

FREE = ("workdir", *settings_files.free_names(ExperimentConfig, "place"))
"""Names whose values may differ then (of flagfiles, what they say may not)."""

PATIENCE_SECONDS = 60.0  # for the others of an array job


def planned(values: Mapping[str, object]) -> Plan:
    """The plan that the flags make, all that can be refused at once refused.

    Args:
      values: the experiment's flags, by name.

    Raises:
      InputError: a flagfile that is missing or does not fit.
    """
    # Whatever folder it is started from: paths are flags of the children.
    root = Path(values["workdir"]).expanduser().absolute()
    names = [name for name in FLAGFILES if values[name] is not None]
    contents = {name: flagfiles.contents(name, values[name]) for name in names}
    plan = Plan(root, values, contents)
    check_space_name("space", plan.space)
    for name in FLAGFILES[1:]:
        flagfiles.check_space(name, values[name], contents[name], plan.space)
    short = "short_flags"
    flagfiles.check_selects(values[short], contents[short], plan.space)
    if values["snapshots"] and not plan.relaxed:
        raise InputError(
            f"`snapshots={values['snapshots']}` are cells of a search's "
            f"epochs, and {plan.strategy} has none; leave it out"
        )
    return plan


@contextlib.contextmanager
def claimed(plan: Plan, alone: bool) -> Iterator[None]:
    """Takes the folder, where it is new or belongs to this experiment.

    Args:
      plan: as given.
      alone: no other process may come near meanwhile. Else the folder is
        held for a moment only; each run below it has its own lock.

    Raises:
      InputError: the folder belongs to another run, or counts were lowered.
    """
    if not settings_files.exists(plan.root):
        # Often the short and the full training have one flagfile.
        different = {
            (flagfiles.PROGRAMS[name], plan.values[name]): name
            for name in plan.contents
        }
        for (_, path), name in different.items():
            flagfiles.check_parses(name, path)
    workdir = _opened(plan, 0.0 if alone else PATIENCE_SECONDS)
    with workdir:
        if alone:
            yield
    if not alone:
        yield


def existing(path: str) -> Plan:
    """The plan of a folder, to read it.

    Raises:
      InputError: it is not that of an experiment.
    """
    root = Path(path).expanduser().absolute()
    stored = read_settings(root)
    _check_own(root, stored)
    return plan_of(root, stored)


def is_experiment(stored: Mapping[str, object]) -> bool:
    """Whether flags are those of an experiment."""
    return set(COUNTS) <= stored.keys()


def _opened(plan: Plan, patience: float) -> Workdir:
    own = {n: v for n, v in plan.values.items() if n not in ("stage", "task")}
    given, text = own | flat(plan.contents), settings_files.as_flagfile(own)
    end = time.monotonic() + patience
    if settings_files.exists(plan.root):
        _check_own(plan.root, read_settings(plan.root))
    while True:
        try:
            workdir = open_workdir(
                plan.root,
                given,
                text,
                program="experiment",
                ignored=(*FREE, *COUNTS),
                folders=(),
            )
            break
        except FolderInUse:
            if time.monotonic() >= end:
                raise
            time.sleep(0.1)
    try:
        _raise_counts(plan, read_settings(plan.root), given, text)
    except BaseException:
        workdir.close()
        raise
    return workdir


def _check_own(root: Path, stored: Mapping[str, object]) -> None:
    if not is_experiment(stored):
        raise InputError(
            f"{root} holds a run that is no experiment; give another folder"
        )


def _raise_counts(plan: Plan, stored: dict, given: dict, text: str) -> None:
    for name in COUNTS:
        if given[name] < stored[name]:
            raise InputError(
                f"`{name}={given[name]}`: the experiment has {stored[name]}; "
                f"it may be raised, not lowered; give another `workdir`"
            )
    if given != stored:
        write_atomic(plan.root / "flags.txt", text)
        settings_files.write(plan.root, "experiment", given)
