"""The convolutional space of DARTS sect. 3.1.1.

Seven nodes: two inputs, four intermediate ones, the output. Eight candidates
on every edge. Normal cells, and reduction cells at 1/3 and 2/3 of the depth,
in which every operation next to an input has stride two.
"""

from __future__ import annotations

from darts_tf.space.cell import IDENTITY, ZERO, CellSpec, SearchSpace

CANDIDATES = (
    ZERO,
    "max_pool_3x3",
    "avg_pool_3x3",
    IDENTITY,
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""Candidate operations, in the order of alpha's columns."""

PUBLISHED_ONLY = ("sep_conv_7x7", "conv_7x1_1x7")
"""Operations of NASNet's and AmoebaNet's cells; not searched here."""

NODES = 4


def _cell(name: str) -> CellSpec:
    edges = sum(2 + node for node in range(NODES))
    return CellSpec(
        name=name,
        inputs=2,
        nodes=NODES,
        candidates=(CANDIDATES,) * edges,
        predecessors=2,
        concat=tuple(range(2, 2 + NODES)),
    )


SPACE = SearchSpace(
    name="darts_conv",
    cells=(_cell("normal"), _cell("reduce")),
    operations=CANDIDATES + PUBLISHED_ONLY,
)


def reduction_layers(layers: int) -> tuple[int, int]:
    """Returns the two layers, counted from 0, at which reduction cells stand."""
    return layers // 3, 2 * layers // 3
