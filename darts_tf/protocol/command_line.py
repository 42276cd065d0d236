"""The only module of this room that knows flags: names and flagfiles from `cli`."""

from __future__ import annotations

from absl import flags

from darts_tf.cli.experiment_flags import COUNTS, FLAGFILES, FREE_FLAGS
from darts_tf.cli.flag_values import as_flagfile
from darts_tf.cli.search_flags import BILEVEL
from darts_tf.cli.space_flags import FOREIGN_FLAGS, SPACES
from darts_tf.cli.strategy_flags import RELAXED
from darts_tf.errors import InputError

__all__ = [
    "BILEVEL",
    "COUNTS",
    "FLAGFILES",
    "FREE_FLAGS",
    "RELAXED",
    "SPACES",
    "as_flagfile",
    "has_flag",
    "read_flagfile",
]


def has_flag(space: str, name: str) -> bool:
    """Returns True if the flag applies to networks of this space."""
    return name not in FOREIGN_FLAGS[space]


def read_flagfile(name: str, path: str) -> dict[str, str]:
    """Returns the flags in a flagfile and in those that it names, by name.

    Args:
      name: the argument that gave the path, for messages.
      path: the flagfile.

    Raises:
      InputError: the file cannot be read.
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
