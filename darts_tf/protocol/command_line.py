"""Reads flagfiles, and the names of settings in them, for experiments."""

from __future__ import annotations

from absl import flags

from darts_tf.config import ExperimentConfig
from darts_tf.config_rules import (
    ACCURACY,
    BILEVEL,
    COST_TITLES,
    REASONS,
    RELAXED,
    check_space_name,
    is_text,
    parse_cost,
)
from darts_tf.errors import InputError
from darts_tf.run.settings_files import as_flagfile, free_names

__all__ = [
    "ACCURACY",
    "BILEVEL",
    "COST_TITLES",
    "COUNTS",
    "FLAGFILES",
    "FREE_FLAGS",
    "REASONS",
    "RELAXED",
    "as_flagfile",
    "check_space_name",
    "is_text",
    "parse_cost",
    "read_flagfile",
]

FLAGFILES = ("search_flags", "short_flags", "evaluate_flags")
COUNTS = free_names(ExperimentConfig, "budget")
"""Settings that may be raised when an experiment is resumed."""

FREE_FLAGS = ("workdir", *free_names(ExperimentConfig, "place"))
"""Settings that may differ then (of flagfiles, what they say may not)."""


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
