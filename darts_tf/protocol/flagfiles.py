"""What flagfiles say, read without the programs that they are for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from absl import flags

from darts_tf.config_rules import is_text
from darts_tf.errors import InputError

SPACE, DATASET = "darts_conv", "cifar10"  # where a flagfile names none
HELD_OUT = "valid_fraction"


def contents(name: str, path: str) -> dict[str, str]:
    """The flags in a flagfile and in those that it names, by name.

    Args:
      name: of the flag that gave the path.
      path: of the flagfile.

    Raises:
      InputError: it cannot be read.
    """
    try:
        lines = flags.FlagValues().read_flags_from_files(
            [f"--flagfile={path}"], force_gnu=True
        )
    except (flags.Error, OSError, UnicodeDecodeError) as error:
        reason = str(error).removeprefix("ERROR:: ")
        raise InputError(
            f"`{name}={path}` cannot be read ({reason}); give a flagfile, "
            f"such as those in configs"
        ) from None
    parts = (line.lstrip("-").partition("=") for line in lines)
    return {flag: value for flag, _, value in parts}


def check_selects(path: str, given: Mapping[str, str], space: str) -> None:
    """Refuses a short training that could not choose among cells.

    Args:
      path: of its flagfile.
      given: what the flagfile says.
      space: of the cells.

    Raises:
      InputError: it holds out no images. (A text has its own validation
        part.)
    """
    if is_text(space):
        return
    try:
        share = float(given.get(HELD_OUT, 0))
    except ValueError:
        share = 0.0
    if share <= 0:
        raise InputError(
            f"`short_flags={path}` holds out no images to choose the best "
            f"cell by; add for example `{HELD_OUT}=0.1` to it"
        )


def check_space(name: str, path: str, given: Mapping, space: str) -> None:
    """Refuses a training in another space than the search's.

    Raises:
      InputError: the flagfile names another one, or none where the cells
        are recurrent.
    """
    images = not is_text(space)
    own = given.get("space", space if images else SPACE)
    if own != space:
        raise InputError(
            f"`{name}={path}` is for `space={own}`, the cells are of "
            f"{space}; give one for {space}"
        )


PROGRAMS = {
    "search_flags": ("search",),
    "short_flags": ("evaluate", "--genotype=-"),
    "evaluate_flags": ("evaluate", "--genotype=-"),
}
"""By the name of a flagfile's flag: its program, and what else that needs."""

FLAGFILES = tuple(PROGRAMS)


def check_parses(name: str, path: str) -> None:
    """Asks the flagfile's program whether it takes it; starts nothing.

    So that a wrong letter is not found out days later.

    Raises:
      InputError: it does not, with its own words.
    """
    program, *more = PROGRAMS[name]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "darts_tf.cli", program, "--only_check_args"),
            *(f"--flagfile={path}", "--workdir=-", *more),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"`{name}={path}`: {last.removeprefix('error: ')}")
