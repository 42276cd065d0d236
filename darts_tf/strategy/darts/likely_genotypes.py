"""Lists the genotypes that alpha finds most likely, not only the strongest one.

A derived genotype (DARTS sect. 2.4) is the one whose operations have the largest
product of mixing weights. Where mixing weights are close to each other at the end of a
search, as with beta decay, the genotypes next to it are nearly as likely, and short
trainings can choose among them (`train.experiment --cells_per_search`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.strategy.darts import derivation

Scored = list[tuple[float, tuple]]
"""(sum of the logarithms of mixing weights, what was chosen) of each choice."""


def likely_genotypes(
    space: SearchSpace,
    alpha: Sequence[np.ndarray],
    count: int,
    temperature: float = 1.0,
    relaxation: str = "softmax",
    prices: Mapping[str, np.ndarray] | None = None,
) -> list[Genotype]:
    """Returns the genotypes with the largest products of mixing weights.

    The product is over the edges that a genotype keeps, of the weights of their
    operations. Genotypes whose product is zero are left out.

    Args:
      space: the space that was searched.
      alpha: as of `derivation.derive`.
      count: how many, at least 1.
      temperature: of the softmax.
      relaxation: one of `derivation.MEANS`.
      prices: by the name of a kind of cell, [edges, candidates]: what is taken off
        the logarithm of each mixing weight. None: nothing is.

    Returns:
      At most `count` distinct genotypes, the most likely first, which without prices
      is the one that `derivation.derive` returns. Among equals the one with the
      earlier predecessors and candidates comes first.
    """
    chosen: Scored = [(0.0, ())]
    for spec, rows in zip(space.cells, alpha, strict=True):
        weights = derivation.mean_weights(spec, rows, temperature, relaxation)
        cells = [
            (score, (CellGenotype(edges, spec.concat),))
            for score, edges in likely_cells(
                spec, weights, count, None if prices is None else prices[spec.name]
            )
        ]
        chosen = _together(chosen, cells, count)
    names = [spec.name for spec in space.cells]
    return [
        Genotype(space.name, dict(zip(names, cells, strict=True)))
        for _, cells in chosen
    ]


def likely_cells(
    spec: CellSpec, weights: np.ndarray, count: int, prices: np.ndarray | None = None
) -> Scored:
    """Returns (score, edges) of the most likely cells; see `derivation.derive_cell`.

    The score is the logarithm of the product of the edges' mixing weights, less their
    prices [edges, candidates] if there are any; edges are pairs (operation,
    predecessor).
    """
    weights = derivation.derivable(spec, weights)
    with np.errstate(divide="ignore"):  # what is never derived has minus infinity
        scores = np.log(np.maximum(weights, 0))
    scores = scores if prices is None else scores - prices
    order = weights.max(-1)
    cells: Scored = [(0.0, ())]
    for node in spec.targets:
        cells = _together(cells, _nodes(spec, scores, order, node, count), count)
    return cells


def _nodes(
    spec: CellSpec, scores: np.ndarray, order: np.ndarray, node: int, count: int
) -> Scored:
    """Returns the most likely (score, edges) of those that enter a node."""
    incoming = spec.incoming(node)
    kept = min(spec.predecessors or len(incoming), len(incoming))
    return _largest(
        (
            choice
            for pairs in itertools.combinations(incoming, kept)
            for choice in _edges(spec, scores, order, pairs, count)
        ),
        count,
    )


def _edges(
    spec: CellSpec, scores: np.ndarray, order: np.ndarray, pairs, count: int
) -> Scored:
    """Returns the most likely (score, edges) on edges (row of alpha, source)."""
    if spec.predecessors is not None:  # the strongest first, as derived
        pairs = sorted(pairs, key=lambda pair: -order[pair[0]])
    choices: Scored = [(0.0, ())]
    for row, source in pairs:
        options = [
            (float(score), ((name, source),))
            for name, score in zip(spec.candidates[row], scores[row], strict=True)
            if score > -np.inf
        ]
        choices = _together(choices, options, count)
    return choices


def _together(first: Scored, second: Scored, count: int) -> Scored:
    """Returns the most likely pairs of a choice of each; both are independent."""
    second = _largest(second, count)
    pairs = ((a + b, x + y) for a, x in first for b, y in second)
    return _largest(pairs, count)


def _largest(choices: Iterable[tuple[float, tuple]], count: int) -> Scored:
    """Returns the `count` choices with the largest scores; of equals the earlier."""
    return sorted(choices, key=lambda choice: -choice[0])[:count]
