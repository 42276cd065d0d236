"""Derives the most likely genotypes that are within cost targets.

The genotype of the strongest operations (DARTS sect. 2.4) may be above a target, or so
far below it that the device has room for a better network.

The logarithm of a genotype's product of mixing weights and its cost are both sums over
the edges that it keeps. So the genotypes with the largest

    log(product of mixing weights) - rate * cost / target

are found like the most likely ones, whatever the rate, and each of them is the most
likely one of its cost (Lagrangian relaxation; Everett 1963, theorem 1). A rate above 0
prefers cheaper networks, one below 0 dearer ones.

Between two rates the cost may jump, as where one candidate is far dearer than all
others. So the most likely network of each small interval of cost is looked for as well,
by dynamic programming from node to node, of which the last intervals below the target
are looked through.

Plain numbers: nothing here loads TensorFlow.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Edge, Genotype
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.likely_genotypes import likely_genotypes

LOOKED_THROUGH = 256
"""Genotypes of each rate that are looked through, at least."""

DOUBLINGS = 60
"""Doublings of a rate after which a target is said to be out of reach."""

HALVINGS = 30
"""Halvings of the interval in which the rate is."""

INTERVAL = 0.005
"""Share of a target in which the most likely network of a cost is kept."""

Alpha = tuple[Sequence[np.ndarray], float, str]
"""Alpha of each cell, the softmax's temperature and the relaxation's name."""


@dataclasses.dataclass(frozen=True, eq=False)
class CostTargets:
    """The costs of the networks of a space, and what they may be.

    Attributes:
      tables: one for each cost.
      most: the targets, in the unit and the order of the tables.
      floor: share of a target, 0 to 1, that a network is to reach; of several targets
        the one of which it takes the largest share counts.
    """

    tables: tuple[CostTable, ...]
    most: tuple[float, ...]
    floor: float = 0.0

    def within(self, genotype: Genotype) -> bool:
        """Returns True if a genotype's network is above none of the targets."""
        return all(cost <= most for cost, most in self._pairs(genotype))

    def met(self, genotype: Genotype) -> bool:
        """Returns True if it is within the targets and reaches the floor of one."""
        return self.within(genotype) and self.share(genotype) >= self.floor

    def share(self, genotype: Genotype) -> float:
        """Returns the largest share that it takes of a target."""
        return max(cost / most for cost, most in self._pairs(genotype))

    def prices(self, rate: float) -> dict[str, np.ndarray]:
        """Returns rate * sum of cost / target, [edges, candidates] by kind of cell."""
        shares = np.array([rate / most for most in self.most])
        return {
            name: np.tensordot(shares, [t.costs[name] for t in self.tables], 1)
            for name in self.tables[0].costs
        }

    def _pairs(self, genotype: Genotype) -> list[tuple[float, float]]:
        costs = [table.of(genotype) for table in self.tables]
        return list(zip(costs, self.most, strict=True))


def likely_within(
    space: SearchSpace, state: Alpha, count: int, targets: CostTargets
) -> list[Genotype]:
    """Returns the most likely genotypes within targets, the most likely first.

    Before the others those that reach the floor of a target. If none is within the
    targets, the most likely ones of all.

    Args:
      space: that was searched.
      state: its alpha.
      count: how many genotypes, at most.
      targets: of its costs.
    """
    alpha, temperature, relaxation = state
    many = max(count, LOOKED_THROUGH)
    seen: dict[str, Genotype] = {}

    def look(rate: float, number: int = many) -> Genotype | None:
        prices = targets.prices(rate)
        listed = likely_genotypes(space, alpha, number, temperature, relaxation, prices)
        seen.update((genotype.to_json(), genotype) for genotype in listed)
        return listed[0] if listed else None

    strongest = look(0.0)
    if strongest is None:
        return []
    plain = list(seen.values())
    if sum(map(targets.met, plain)) < count:
        for share in dict.fromkeys((1.0, targets.floor or 1.0)):
            for rate in _rates_around(share, look, targets, strongest):
                look(rate)
        for place in range(len(targets.most)):
            listed = by_cost(space, state, targets, place)
            seen.update((g.to_json(), g) for g in listed if targets.met(g))
    within = list(filter(targets.within, seen.values()))
    likelihood = CostTable("likelihood", space, 0, _logarithms(space, state))
    # Rounded, so that equals stay in the order of the most likely ones.
    within.sort(key=lambda g: (not targets.met(g), -round(likelihood.of(g), 9)))
    return (within or plain)[:count]


def _rates_around(
    share: float, look, targets: CostTargets, strongest: Genotype
) -> tuple[float, ...]:
    """Returns rates next to each other, below and above which a share is exceeded.

    Empty where no rate leads across it.
    """
    sign = 1.0 if targets.share(strongest) > share else -1.0

    def crossed(rate: float) -> bool:
        genotype = look(sign * rate, 1)
        return sign * (targets.share(genotype) - share) <= 0

    low, high = 0.0, 1.0
    for _ in range(DOUBLINGS):
        if crossed(high):
            break
        low, high = high, 2 * high
    else:
        return ()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if crossed(middle) else (middle, high)
    return sign * low, sign * high


class Chosen(NamedTuple):
    """Edges of some nodes.

    Attributes:
      score: the logarithm of the product of their mixing weights.
      shares: what they take of each target.
      edges: of the last of these nodes.
      before: of the nodes before it; None for none.
    """

    score: float
    shares: tuple[float, ...]
    edges: tuple[Edge, ...] = ()
    before: Chosen | None = None


def by_cost(
    space: SearchSpace, state: Alpha, targets: CostTargets, place: int = 0
) -> list[Genotype]:
    """Returns the most likely genotype of each interval of a cost, within all targets.

    Nearly: of the choices for some of the nodes that cost nearly the same, within
    INTERVAL of a target, only the most likely one is kept.

    Args:
      space: that was searched.
      state: its alpha.
      targets: of its costs.
      place: of the target whose intervals are meant.
    """
    logarithms = _logarithms(space, state)
    start = [t.constant / m for t, m in zip(targets.tables, targets.most, strict=True)]
    kept = {0: Chosen(0.0, tuple(start))}
    for spec in space.cells:
        scores = logarithms[spec.name]
        tables = [table.costs[spec.name] for table in targets.tables]
        shares = np.stack([t / m for t, m in zip(tables, targets.most, strict=True)])
        for node in spec.targets:
            options = _most_likely_in(place, _choices(spec, scores, shares, node))
            pairs = itertools.product(kept.values(), options.values())
            kept = _most_likely_in(place, (_joined(*pair) for pair in pairs))
    return [_genotype(space, chosen) for chosen in kept.values()]


def _most_likely_in(place: int, choices) -> dict[int, Chosen]:
    """Returns the most likely choice of each interval, of those within all targets."""
    kept: dict[int, Chosen] = {}
    for chosen in choices:
        if max(chosen.shares) > 1:
            continue
        interval = int(chosen.shares[place] / INTERVAL)
        if interval not in kept or chosen.score > kept[interval].score:
            kept[interval] = chosen
    return kept


def _joined(first: Chosen, second: Chosen) -> Chosen:
    shares = tuple(a + b for a, b in zip(first.shares, second.shares))
    return Chosen(first.score + second.score, shares, second.edges, first)


def _choices(
    spec: CellSpec, scores: np.ndarray, shares: np.ndarray, node: int
) -> Iterator[Chosen]:
    """Yields each choice of the edges that enter a node.

    Args:
      spec: the cell.
      scores: logarithms of mixing weights, [edges, candidates].
      shares: costs as shares of the targets, [targets, edges, candidates].
      node: its number.
    """
    incoming = spec.incoming(node)
    order = scores.max(-1)
    for pairs in itertools.combinations(
        incoming, min(spec.predecessors or len(incoming), len(incoming))
    ):
        if spec.predecessors is not None:  # the strongest first, as derived
            pairs = sorted(pairs, key=lambda pair: -order[pair[0]])
        rows = [row for row, _ in pairs]
        present = (np.flatnonzero(scores[row] > -np.inf) for row in rows)
        for columns in itertools.product(*present):
            edges = tuple(
                (spec.candidates[row][column], source)
                for (row, source), column in zip(pairs, columns, strict=True)
            )
            total = tuple(shares[:, rows, columns].sum(-1).tolist())
            yield Chosen(float(scores[rows, columns].sum()), total, edges)


def _genotype(space: SearchSpace, chosen: Chosen) -> Genotype:
    """Returns the genotype of choices for all nodes of all cells."""
    nodes = []
    last: Chosen | None = chosen
    while last is not None and last.before is not None:
        nodes.append(last.edges)
        last = last.before
    nodes.reverse()
    cells, first = {}, 0
    for spec in space.cells:
        count = len(spec.targets)
        edges = itertools.chain.from_iterable(nodes[first : first + count])
        cells[spec.name] = CellGenotype(tuple(edges), spec.concat)
        first += count
    return Genotype(space.name, cells)


def _logarithms(space: SearchSpace, state: Alpha) -> dict[str, np.ndarray]:
    """Returns the logarithms of mixing weights, [edges, candidates] by kind of cell.

    Those of candidates that are never derived are minus infinity.
    """
    alpha, temperature, relaxation = state
    logarithms = {}
    for spec, rows in zip(space.cells, alpha, strict=True):
        weights = derivation.mean_weights(spec, rows, temperature, relaxation)
        weights = derivation.derivable(spec, weights)
        with np.errstate(divide="ignore"):
            logarithms[spec.name] = np.log(np.maximum(weights, 0))
    return logarithms
