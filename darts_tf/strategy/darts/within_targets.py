"""Derives the most likely genotypes that are within cost targets.

The genotype of the strongest operations (DARTS sect. 2.4) may be above a target, or so
far below it that the device has room for a better network.

The logarithm of a genotype's product of mixing weights and its cost are both sums over
the edges that it keeps. So the genotypes with the largest

    log(product of mixing weights) - rate * cost / target

are found like the most likely ones, whatever the rate, and each of them is the most
likely one of its cost (Lagrangian relaxation; Everett 1963, theorem 1). A rate above 0
prefers cheaper networks, one below 0 dearer ones. Plain numbers: nothing here loads
TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.likely_genotypes import likely_genotypes

LOOKED_THROUGH = 256
"""Genotypes of each rate that are looked through, at least."""

DOUBLINGS = 60
"""Doublings of a rate after which a target is said to be out of reach."""

HALVINGS = 30
"""Halvings of the interval in which the rate is."""

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
    """Returns the most likely genotypes that meet targets, the most likely first.

    Those that reach the floor of a target; if none does, those within the targets; if
    none is, the most likely ones of all.

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
    for allowed in (targets.met, targets.within):
        kept = list(filter(allowed, seen.values()))
        if kept:
            likelihood = _likelihood(space, state)
            # Rounded, so that equals stay in the order of the most likely ones.
            return sorted(kept, key=lambda g: -round(likelihood.of(g), 9))[:count]
    return plain[:count]


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


def _likelihood(space: SearchSpace, state: Alpha) -> CostTable:
    """Returns the logarithm of the product of mixing weights, as a table of a sum."""
    alpha, temperature, relaxation = state
    logarithms = {}
    for spec, rows in zip(space.cells, alpha, strict=True):
        weights = derivation.mean_weights(spec, rows, temperature, relaxation)
        with np.errstate(divide="ignore"):
            logarithms[spec.name] = np.log(np.maximum(weights, 0))
    return CostTable("likelihood", space, 0, logarithms)
