"""A convolutional space with one node a cell: small enough to compile."""

from __future__ import annotations

from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import SPACE

CANDIDATES = (
    "none",
    "max_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "dil_conv_3x3",
)


def small_space(candidates: tuple[str, ...]) -> SearchSpace:
    """Returns a space of one node with these candidates on both edges."""
    cells = tuple(
        CellSpec(name, 2, 1, (candidates,) * 2, 2, (2,))
        for name in ("normal", "reduce")
    )
    return SearchSpace(SPACE.name, cells, SPACE.operations)


SMALL = small_space(CANDIDATES)
SMALLER = small_space(("max_pool_3x3", "skip_connect", "dil_conv_3x3"))
"""For what takes long to trace: searches, two replicas, second derivatives of calls."""
