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

SMALL = SearchSpace(
    name=SPACE.name,
    cells=tuple(
        CellSpec(name, 2, 1, (CANDIDATES,) * 2, 2, (2,))
        for name in ("normal", "reduce")
    ),
    operations=SPACE.operations,
)
