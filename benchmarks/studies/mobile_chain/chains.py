"""Draws random chains of a wanted latency, and widths of a chain that meet one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.genotype import CellGenotype, Genotype

DRAWS = 100_000
"""Draws after which there is said to be no chain of the wanted cost."""


def random_chain(
    table: CostTable, target: float, tolerance: float, seed: int
) -> Genotype:
    """Draws a chain whose cost is near a target, all such chains about alike.

    Each layer's candidate is drawn with a probability proportional to
    exp(-rate * cost), with the rate at which the expected cost is the target; chains
    that are too far from it are drawn again. Two chains of one cost have the same
    probability, so that the chains near the target have nearly the same.

    Args:
      table: costs of the space's chains.
      target: the wanted cost, between the table's bounds.
      tolerance: largest distance from it, as a share of it.
      seed: of the draws.

    Raises:
      ValueError: no chain was near enough.
    """
    generator = np.random.default_rng(seed)
    chances = _chances(table, _rate(table, target))
    for _ in range(DRAWS):
        genotype = _draw(table, chances, generator)
        if abs(table.of(genotype) / target - 1) <= tolerance:
            return genotype
    raise ValueError(f"no chain within {tolerance:.0%} of {target:g} was drawn")


def width_within(
    milliseconds: Callable[[float], float], target: float, widths: list[float]
) -> float:
    """Returns the largest width whose latency is within a target, else the first.

    Args:
      milliseconds: measures the chain of a width; rises with it.
      target: milliseconds.
      widths: to choose from, in ascending order.
    """
    low, high = 0, len(widths)  # widths[low] is taken, widths[high] is too slow
    while high - low > 1:
        middle = (low + high) // 2
        if milliseconds(widths[middle]) <= target:
            low = middle
        else:
            high = middle
    return widths[low]


def _chances(table: CostTable, rate: float) -> dict[str, np.ndarray]:
    """Returns the candidates' probabilities, [layers, candidates] by kind."""
    result = {}
    for kind, costs in table.costs.items():
        logits = -rate * (costs - costs.min(-1, keepdims=True))
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        result[kind] = weights / weights.sum(-1, keepdims=True)
    return result


def _rate(table: CostTable, target: float) -> float:
    """Returns the rate at which the expected cost is the target, by bisection."""

    def expected(rate: float) -> float:
        chances = _chances(table, rate)
        return table.constant + sum(
            float((chances[kind] * costs).sum()) for kind, costs in table.costs.items()
        )

    smallest = min(float(np.ptp(costs, -1).min()) for costs in table.costs.values())
    end = 50 / smallest
    low, high = -end, end
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) > target else (low, middle)
    return (low + high) / 2


def _draw(
    table: CostTable, chances: Mapping[str, np.ndarray], generator: np.random.Generator
) -> Genotype:
    cells = {}
    for spec in table.space.cells:
        rows = zip(spec.candidates, chances[spec.name], spec.links, strict=True)
        edges = tuple(
            (str(generator.choice(names, p=chance)), source)
            for names, chance, (source, _) in rows
        )
        cells[spec.name] = CellGenotype(edges, spec.concat)
    return Genotype(table.space.name, cells)
