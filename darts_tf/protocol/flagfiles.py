"""Checks the flagfiles of an experiment before any of its runs starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from darts_tf.errors import InputError
from darts_tf.protocol.command_line import is_text

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


def check_parses(name: str, path: str, plugin: str | None = None) -> None:
    """Checks a flagfile by its program's own parser; starts no run.

    A misspelt flag is so refused at once, not days later.

    Args:
      name: the argument that gave the path.
      path: the flagfile.
      plugin: the user's file of own operations and spaces, if there is one.

    Raises:
      InputError: the program refuses it, in the program's words.
    """
    program, *arguments = PROGRAMS[name]
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
