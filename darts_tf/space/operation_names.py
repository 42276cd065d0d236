"""Names of the operations that cells may carry: built in, or registered by a user.

Names only: layers are made in networks/operations.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from darts_tf.errors import InputError

IMAGE_OPERATIONS = (
    "none",
    "skip_connect",
    "noise",
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "dil_conv_7x7",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "conv_7x1_1x7",
)
RECURRENT_OPERATIONS = ("none", "tanh", "relu", "sigmoid", "identity")
CHAIN_OPERATIONS = tuple(
    f"mb_conv_{size}x{size}_e{expansion}" for size in (3, 5, 7) for expansion in (3, 6)
)
"""Inverted residual blocks by kernel and expansion (space/chain.py)."""

BUILTIN = frozenset(IMAGE_OPERATIONS + RECURRENT_OPERATIONS + CHAIN_OPERATIONS)

registered: set[str] = set()
"""Names of the operations that users registered in this process."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_name(name: object, kind: str) -> None:
    """Raises InputError unless `name` is lower-case letters, digits and underscores.

    Args:
      name: of something that a user registers.
      kind: what it names: "operation" or "space".
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"the name of {kind} {name!r} must be lower-case letters, digits and "
            f"underscores, a letter first, for example 'my_{kind}'"
        )


def add(name: str, replace: bool = False) -> None:
    """Adds the name of an operation that a user registers.

    Raises:
      InputError: the name is malformed, built in, or registered already and
        `replace` is false.
    """
    check_name(name, "operation")
    if name in BUILTIN:
        raise InputError(f"operation {name!r} is built in; give another name")
    if name in registered and not replace:
        raise InputError(
            f"operation {name!r} is registered already; give another name, or "
            f"`replace=True`"
        )
    registered.add(name)


def is_builtin(name: str) -> bool:
    """Returns whether darts_tf itself has the operation."""
    return name in BUILTIN


def check_registered(names: Iterable[str], owner: str) -> None:
    """Raises InputError if an operation is neither built in nor registered.

    Args:
      names: of operations.
      owner: who uses them, for the message: "cell 'normal'".
    """
    missing = [n for n in dict.fromkeys(names) if n not in BUILTIN | registered]
    if missing:
        listed = ", ".join(map(repr, missing))
        raise InputError(
            f"{owner} uses operations that are not registered in this process: "
            f"{listed}; register each by darts_tf.register_operation, or name the "
            f"file that does so by `plugin`"
        )
