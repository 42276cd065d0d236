"""Checks the flagfiles of an experiment before any of its runs starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from darts_tf.errors import InputError
from darts_tf.protocol.command_line import (
    COST_TITLES,
    REASONS,
    RELAXED,
    is_text,
    parse_cost,
)

SPACE, DATASET = "darts_conv", "cifar10"  # the defaults of a flagfile
HELD_OUT = "valid_fraction"
PROGRAMS = {
    "search_flags": ("search",),
    "short_flags": ("evaluate", "--genotype=-"),
    "evaluate_flags": ("evaluate", "--genotype=-"),
}
"""The program that reads a flagfile, by the argument that gives the file."""


def check_selects(path: str, flags: Mapping[str, str], space: str) -> None:
    """Refuses a short training that could not choose among cells.

    Args:
      path: the flagfile of the short training.
      flags: the flags in it, by name.
      space: the space of the cells.

    Raises:
      InputError: it holds out no images. (A text has its own validation
        part.)
    """
    if is_text(space):
        return
    try:
        share = float(flags.get(HELD_OUT, 0))
    except ValueError:
        share = 0.0
    if share <= 0:
        raise InputError(
            f"`short_flags={path}` holds out no images to choose the best "
            f"cell by; add for example `{HELD_OUT}=0.1` to it"
        )


def check_space(name: str, path: str, flags: Mapping[str, str], space: str) -> None:
    """Refuses a training in another space than the search's.

    Raises:
      InputError: the flagfile names another space, or none although the
        cells are recurrent.
    """
    default = SPACE if is_text(space) else space
    trained = flags.get("space", default)
    if trained != space:
        raise InputError(
            f"`{name}={path}` is for the space {trained}, the cells are of "
            f"{space}; give one for {space}"
        )


def check_targets(
    values: Mapping[str, Any], contents: Mapping[str, Mapping[str, str]], space: str
) -> None:
    """Refuses cost targets of searches that have no cost to which they apply.

    Args:
      values: the experiment's arguments, by name.
      contents: the flags in each flagfile, by the name of its argument.
      space: that is searched.

    Raises:
      InputError: the searches have no cost, several, a target of their own, or a
        strategy or space without costs.
    """
    if not values.get("cost_targets"):
        return
    said = f"`cost_targets={','.join(values['cost_targets'])}`"
    path = f"`search_flags={values['search_flags']}`"
    searched = contents.get("search_flags", {})
    if is_text(space):
        raise InputError(
            f"{said} means nothing with `space={space}`{REASONS['cost']}; leave it out"
        )
    strategy = searched.get("strategy", RELAXED[0])
    if strategy not in RELAXED:
        raise InputError(
            f"{said} are of alpha's loss, and `strategy={strategy}` in {path} has "
            "none; leave them out, and give `objectives` or `max_multiply_adds` there"
        )
    cost = searched.get("cost")
    if cost not in COST_TITLES or "cost_target" in searched:
        raise InputError(
            f"{said} needs {path} to have one cost, such as "
            f"`cost={next(iter(COST_TITLES))}`, and no `cost_target`"
        )
    numbers = {parse_cost(t, cost, "cost_targets") for t in values["cost_targets"]}
    if len(numbers) < len(values["cost_targets"]):
        raise InputError(f"{said} names one target twice; give each once")


def check_parses(
    name: str, path: str, plugin: str | None = None, target: str | None = None
) -> None:
    """Checks a flagfile by its program's own parser; starts no run.

    A misspelt flag is so refused at once, not days later.

    Args:
      name: the argument that gave the path.
      path: the flagfile.
      plugin: the user's file of own operations and spaces, if there is one.
      target: a cost target that a search is given beside it.

    Raises:
      InputError: the program refuses it, in the program's words.
    """
    program, *arguments = PROGRAMS[name]
    if target is not None and program == "search":
        arguments.append(f"--cost_target={target}")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "darts_tf.cli", program, "--only_check_args"),
            *(f"--flagfile={path}", "--workdir=-", *arguments),
            *([f"--plugin={plugin}"] if plugin else []),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"`{name}={path}`: {last.removeprefix('error: ')}")
