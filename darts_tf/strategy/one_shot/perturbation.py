"""Selects operations by their removal from a supernet (Wang et al. 2021, DARTS-PT).

Algorithm 1 of "Rethinking Architecture Selection in Differentiable NAS":
the size of a mixing weight says little about what an operation is worth, so
each is left out of its mixture, and the one whose absence costs the supernet
the most validation accuracy is chosen. Edges are decided in random order;
then, node by node, the edges whose absence costs most stay. This module decides
by a function that measures; strategy/one_shot/perturbation_loop.py tunes the
supernet in between.

The mixing weights that remain on an edge are not renormalised when one is
left out, as in the authors' code.

Departures: the zero operation is neither left out nor chosen, except in a
space that keeps it (the authors' code measures it like any other; the cell
could then not be derived). Among equals the earlier one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts.derivation import derive_cell

UNDECIDED, NOT_MEASURED = -1, -1.0

Accuracy = Callable[[Mapping[str, np.ndarray]], float]
"""The supernet's accuracy with mixing weights [edges, candidates] by cell."""


class CellSelection:
    """Decides the edges of one kind of cell, one by one.

    Args:
      spec: the cell.
      weights: the trained mixing weights [edges, candidates].
      random: decides the order.
    """

    def __init__(
        self, spec: CellSpec, weights: np.ndarray, random: np.random.Generator
    ):
        self.spec = spec
        self._arrays = {
            "weights": np.array(weights, np.float64),
            "chosen": np.full(len(spec.edges), UNDECIDED),
            "kept": np.ones(len(spec.edges), bool),
            "without_operation": np.full(spec.alpha_shape, NOT_MEASURED),
            "without_edge": np.full(len(spec.edges), NOT_MEASURED),
        }
        self.edges = random.permutation(len(spec.edges))
        self.nodes = random.permutation(contested(spec))

    def weights(self) -> np.ndarray:
        """Returns the mixing weights after all decisions, [edges, candidates].

        One-hot where an operation is chosen, zero where an edge is dropped.
        """
        weights = self._arrays["weights"].copy()
        chosen = self._arrays["chosen"]
        for row in np.flatnonzero(chosen != UNDECIDED):
            weights[row] = 0
            weights[row, chosen[row]] = 1
        weights[~self._arrays["kept"]] = 0
        return weights

    def choose_operation(self, row: int, accuracy) -> None:
        """Decides an edge; `accuracy` takes this cell's mixing weights."""
        columns = admissible(self.spec, row)
        measured = self._arrays["without_operation"]
        if len(columns) > 1:
            for column in columns:
                weights = self.weights()
                weights[row, column] = 0
                measured[row, column] = accuracy(weights)
        worst = min(columns, key=lambda column: measured[row, column])
        self._arrays["chosen"][row] = worst

    def choose_edges(self, node: int, accuracy) -> None:
        """Decides which edges into a node stay."""
        rows = [row for row, _ in self.spec.incoming(node)]
        measured = self._arrays["without_edge"]
        for row in rows:
            weights = self.weights()
            weights[row] = 0
            measured[row] = accuracy(weights)
        worst = sorted(rows, key=lambda row: measured[row])
        for row in worst[self.spec.predecessors :]:
            self._arrays["kept"][row] = False

    def operation_record(self, row: int) -> dict[str, object]:
        """Returns the record of a decided edge and its measurements."""
        measured = self._arrays["without_operation"][row]
        names = self.spec.candidates[row]
        return {
            "cell": self.spec.name,
            "edge": list(self.spec.edges[row]),
            "chosen": names[self._arrays["chosen"][row]],
            "accuracy_without": {
                name: float(value)
                for name, value in zip(names, measured)
                if value != NOT_MEASURED
            },
        }

    def edges_record(self, node: int) -> dict[str, object]:
        """Returns the record of a decided node and its measurements."""
        rows = self.spec.incoming(node)
        stays, measured = self._arrays["kept"], self._arrays["without_edge"]
        return {
            "cell": self.spec.name,
            "node": int(node),
            "chosen": [source for row, source in rows if stays[row]],
            "accuracy_without": {
                str(source): float(measured[row]) for row, source in rows
            },
        }

    def state(self) -> dict[str, np.ndarray]:
        """Returns all decisions and measurements, by name."""
        return {name: array.copy() for name, array in self._arrays.items()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores what `state` returned; raises InputError if it does not fit."""
        for name, array in self._arrays.items():
            if name not in arrays or arrays[name].shape != array.shape:
                raise InputError(
                    f"the checkpoint does not fit this derivation: {name!r} "
                    f"of cell '{self.spec.name}' should be {list(array.shape)}; "
                    f"give another `out`"
                )
            array[...] = arrays[name]


class Selection:
    """Decides the edges of all cells of a space, in rounds.

    In a round every cell decides one edge, one cell after the other; when
    all operations are chosen, one node.

    Args:
      space: the space that was searched.
      weights: the trained mixing weights [edges, candidates] by cell.
      seed: of the order.

    Attributes:
      rounds: how many there are.
    """

    def __init__(
        self, space: SearchSpace, weights: Mapping[str, np.ndarray], seed: int
    ):
        self.space = space
        self._cells = {
            spec.name: CellSelection(
                spec, weights[spec.name], np.random.default_rng([seed, index])
            )
            for index, spec in enumerate(space.cells)
        }
        cells = self._cells.values()
        self._edge_rounds = max(len(cell.edges) for cell in cells)
        nodes = max(len(cell.nodes) for cell in cells)
        self.rounds = self._edge_rounds + nodes

    def weights(self) -> dict[str, np.ndarray]:
        """Returns the mixing weights by cell, after all decisions."""
        return {name: cell.weights() for name, cell in self._cells.items()}

    def decide(self, number: int, accuracy: Accuracy) -> None:
        """Takes the decisions of a round (from 0)."""
        for name, cell in self._cells.items():

            def with_cell(weights, name=name):
                return accuracy(self.weights() | {name: weights})

            for row in self._of_round(cell.edges, number):
                cell.choose_operation(row, with_cell)
            for node in self._of_round(cell.nodes, number, self._edge_rounds):
                cell.choose_edges(node, with_cell)

    def records(self, number: int) -> list[dict[str, object]]:
        """Returns the records of a decided round."""
        records = []
        for cell in self._cells.values():
            rows = self._of_round(cell.edges, number)
            nodes = self._of_round(cell.nodes, number, self._edge_rounds)
            records += map(cell.operation_record, rows)
            records += map(cell.edges_record, nodes)
        return records

    def all_records(self) -> list[dict[str, object]]:
        """Returns the records of all rounds, when they are decided."""
        return [d for number in range(self.rounds) for d in self.records(number)]

    @staticmethod
    def _of_round(order: np.ndarray, number: int, first: int = 0):
        """Returns the round's item of `order`: an array of one or none."""
        place = number - first
        return order[place : place + 1] if place >= 0 else order[:0]

    def genotype(self) -> Genotype:
        """Returns the genotype after all decisions.

        Before, an undecided edge stands for its strongest operation.
        """
        return Genotype(
            self.space.name,
            {
                name: derive_cell(cell.spec, cell.weights())
                for name, cell in self._cells.items()
            },
        )

    def state(self) -> dict[str, np.ndarray]:
        """Returns all decisions and measurements, by name."""
        return {
            f"{name}/{key}": array
            for name, cell in self._cells.items()
            for key, array in cell.state().items()
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores what `state` returned; raises InputError if it does not fit."""
        for name, cell in self._cells.items():
            start = f"{name}/"
            cell.restore(
                {
                    key.removeprefix(start): array
                    for key, array in arrays.items()
                    if key.startswith(start)
                }
            )


def admissible(spec: CellSpec, row: int) -> list[int]:
    """Returns the columns of an edge's candidates that may be chosen."""
    return [
        column
        for column, name in enumerate(spec.candidates[row])
        if name != ZERO or spec.zero_kept
    ]


def contested(spec: CellSpec) -> list[int]:
    """Returns the nodes that more edges enter than stay."""
    if spec.predecessors is None:
        return []
    return [
        node for node in spec.targets if len(spec.incoming(node)) > spec.predecessors
    ]
