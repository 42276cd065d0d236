"""The space of NAS-Bench-201 (Dong and Yang, ICLR 2020).

Four nodes: one input, three intermediate ones, the last of which is the
output. An edge from every node to every later one, all of them kept; five
candidates on each, the zero operation among them, which may be derived too.
So there are 5^6 = 15,625 cells, and the benchmark has trained them all.
"""

from __future__ import annotations

from darts_tf.errors import InputError
from darts_tf.space.cell import IDENTITY, ZERO, CellSpec, SearchSpace

CANDIDATES = (
    ZERO,
    IDENTITY,
    "nor_conv_1x1",
    "nor_conv_3x3",
    "avg_pool_3x3",
)
"""Candidate operations in the benchmark's order, that of alpha's columns."""

CELL = "cell"
NODES, EDGES = 3, 6

STAGES = 3
"""Stages of the network, with cells of C, 2C and 4C channels."""

SPACE = SearchSpace(
    name="nasbench201",
    cells=(
        CellSpec(
            name=CELL,
            inputs=1,
            nodes=NODES,
            candidates=(CANDIDATES,) * EDGES,
            predecessors=None,
            concat=(NODES,),
            zero_kept=True,
        ),
    ),
    operations=CANDIDATES,
)


def cells_a_stage(layers: int) -> int:
    """Returns N, the cells of each stage (5 in the benchmark), of `layers` in all.

    Raises:
      InputError: they do not make up three stages.
    """
    if layers < STAGES or layers % STAGES:
        raise InputError(
            f"layers={layers}: the network of NAS-Bench-201 has {STAGES} "
            f"stages with the same number of cells each, so give a multiple "
            f"of {STAGES} (the benchmark has 15)"
        )
    return layers // STAGES
