"""The spaces where DARTS collapses, S1 to S4 (Zela et al. 2020, sect. 3).

The graph of the DARTS space (conv.py) with fewer candidates on its edges:

- s1: two a edge, those that DARTS itself found strongest there, so they
  differ from edge to edge and from cell to cell.
- s2: skip_connect and sep_conv_3x3 everywhere.
- s3: the same and the zero operation.
- s4: noise and sep_conv_3x3: a candidate that helps nobody.
- darts_conv_nonzero: the DARTS space without the zero operation, as used for
  Lambda-DARTS (Movahedi et al. 2023).
"""

from __future__ import annotations

import dataclasses

from darts_tf.space import conv
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, SearchSpace

_SEP = "sep_conv_3x3"
_SHORT = {
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "skip": IDENTITY,
    "sep3": _SEP,
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
}


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(_SHORT[name] for name in pair.split("/")) for pair in text.split()
    )


S1_NORMAL = _pairs(
    "skip/dil3 skip/dil5 "
    "skip/dil5 skip/sep3 skip/dil3 "
    "max/skip skip/sep3 skip/sep3 skip/dil3 "
    "skip/sep3 max/skip skip/dil3 dil3/dil5 dil3/dil5"
)
S1_REDUCE = _pairs(
    "max/avg max/dil3 "
    "max/avg max/avg skip/dil5 "
    "max/avg max/sep3 skip/dil3 skip/dil5 "
    "max/avg max/avg skip/dil5 skip/dil5 skip/dil5"
)
"""The candidates of each edge, a node a line, in the order of alpha."""


def _space(name: str, normal, reduce) -> SearchSpace:
    """Returns the DARTS space with these candidates for each edge."""
    cells = tuple(
        dataclasses.replace(spec, candidates=candidates)
        for spec, candidates in zip(conv.SPACE.cells, (normal, reduce), strict=True)
    )
    used = [n for c in (*normal, *reduce) for n in c]
    return SearchSpace(name, cells, tuple(dict.fromkeys(used)))


def _everywhere(name: str, *candidates: str) -> SearchSpace:
    edges = len(conv.SPACE.cells[0].edges)
    return _space(name, (candidates,) * edges, (candidates,) * edges)


SPACES = (
    _space("s1", S1_NORMAL, S1_REDUCE),
    _everywhere("s2", IDENTITY, _SEP),
    _everywhere("s3", ZERO, IDENTITY, _SEP),
    _everywhere("s4", NOISE, _SEP),
    _everywhere("darts_conv_nonzero", *(n for n in conv.CANDIDATES if n != ZERO)),
)
