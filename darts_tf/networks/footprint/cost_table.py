"""A cost of all networks of a space as a table: a sum over the kept edges.

The cells of a derived network bring their inputs to their own width and size
before the edges, so that what an operation costs does not depend on the other
edges: the cost of a network is a constant (stems, the cells' inputs, what
stands between stages, the classifier) and one summand for each kept edge.
Plain numbers: nothing here loads TensorFlow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype


@dataclasses.dataclass(frozen=True, eq=False)
class CostTable:
    """One cost, such as the multiply-adds, of every network of a space.

    Attributes:
      name: of the cost, one of config.Cost.
      space: whose networks they are.
      constant: what every network costs, whatever its genotype.
      costs: by the name of a kind of cell, [edges, candidates]: what a candidate
        adds in all cells of the kind together. All are integers, or of latency
        milliseconds.
    """

    name: str
    space: SearchSpace
    constant: float
    costs: Mapping[str, np.ndarray]

    def of(self, genotype: Genotype) -> float:
        """Returns the cost of a genotype's network.

        Raises:
          ValueError: an operation is no candidate of its edge.
        """
        return self.constant + sum(
            _of_cell(spec, genotype.cells[spec.name], self.costs[spec.name])
            for spec in self.space.cells
        )

    def bounds(self) -> tuple[float, float]:
        """Returns the cost of the cheapest network and that of the dearest."""
        least = most = self.constant
        for spec in self.space.cells:
            costs, allowed = self.costs[spec.name], derivable(spec)
            cheap = np.where(allowed, costs, costs.max()).min(-1)
            dear = np.where(allowed, costs, costs.min()).max(-1)
            for rows in rows_by_node(spec):
                kept = spec.predecessors or len(rows)
                least += np.sort(cheap[rows])[:kept].sum().item()
                most += np.sort(dear[rows])[::-1][:kept].sum().item()
        return least, most


def derivable(spec: CellSpec) -> np.ndarray:
    """Returns [edges, candidates]: True where the derivation may keep a candidate."""
    return np.array(
        [[spec.zero_kept or name != ZERO for name in row] for row in spec.candidates]
    )


def rows_by_node(spec: CellSpec) -> list[list[int]]:
    """Returns the rows of alpha whose edges enter each node, node by node."""
    return [[row for row, _ in spec.incoming(node)] for node in spec.targets]


def _of_cell(spec: CellSpec, cell: CellGenotype, costs: np.ndarray) -> float:
    targets, total = spec.entered(len(cell.edges)), 0
    for target, (operation, source) in zip(targets, cell.edges, strict=True):
        row = spec.edges.index((source, target))
        total += costs[row, spec.candidates[row].index(operation)].item()
    return total
