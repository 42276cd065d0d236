"""The recurrent space of DARTS sect. 3.1.2.

Twelve nodes: the two inputs x_t and h_{t-1}; node 0 here, the first
intermediate one, which is a fixed function of both; eight searched nodes,
each of which keeps one predecessor; the output, their mean. Five candidates
on every edge.
"""

from __future__ import annotations

from darts_tf.space.cell import ZERO, CellSpec, SearchSpace

CANDIDATES = (ZERO, "tanh", "relu", "sigmoid", "identity")
"""Candidate operations, in the order of alpha's columns."""

NODES = 8

SPACE = SearchSpace(
    name="darts_recurrent",
    cells=(
        CellSpec(
            name="recurrent",
            inputs=1,
            nodes=NODES,
            candidates=(CANDIDATES,) * (NODES * (NODES + 1) // 2),
            predecessors=1,
            concat=tuple(range(1, 1 + NODES)),
        ),
    ),
    operations=CANDIDATES,
    identity="identity",
)
