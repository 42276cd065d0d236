"""Reads the costs of all cells of NAS-Bench-201, and asks the table for searches."""

from __future__ import annotations

import csv
import gzip
import json
import pathlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED
from darts_tf.space.architecture_string import to_string
from darts_tf.space.genotype import Genotype

COSTS = ("multiply_adds", "parameters")
COUNTED = pathlib.Path(__file__).with_name("costs.csv.gz")
"""Made by cost_targets.py: of networks of 16 channels and 15 cells, 32 x 32 pixels."""

Costs = Mapping[str, tuple[int, ...]]
"""The numbers of COSTS by architecture string."""

Accuracies = Mapping[str, tuple[float, ...]]
"""Percent, in the order of ACCURACIES, by architecture string."""


def read_costs(path: pathlib.Path = COUNTED) -> dict[str, tuple[int, ...]]:
    """Returns (multiply-adds, parameters) of every cell, by architecture string."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {
            row["architecture"]: tuple(int(row[name]) for name in COSTS)
            for row in csv.DictReader(file)
        }


def counter(costs: Costs, cost: str = COSTS[0]) -> Callable[[Genotype], float]:
    """Returns a function that looks the cost of a genotype up."""
    place = COSTS.index(cost)
    return lambda genotype: costs[to_string(genotype)][place]


def asked(
    strategy,
    accuracies: Accuracies,
    evaluations: int,
    allowed: Callable[[Genotype], bool] = lambda genotype: True,
) -> np.ndarray:
    """Asks the table for so many proposals of a strategy.

    Args:
      strategy: new; it is told the validation accuracy after 12 epochs, a share.
      accuracies: of all cells.
      evaluations: how many.
      allowed: a proposal that it refuses is drawn again and costs nothing.

    Returns:
      strings [evaluations]: the cells in their order.
    """
    cells, place = [], ACCURACIES.index(SEARCHED)
    for _ in range(evaluations):
        attempt, genotype = 0, strategy.propose()
        while not allowed(genotype):
            attempt += 1
            genotype = strategy.propose(attempt)
        cells.append(to_string(genotype))
        strategy.tell(genotype, accuracies[cells[-1]][place] / 100)
    return np.array(cells)


def likely_cells(folder: pathlib.Path) -> list[str]:
    """Returns the most likely cells of a finished search (likely.json), in order."""
    genotypes = json.loads((folder / "likely.json").read_text("utf-8"))
    return [to_string(Genotype.from_json(json.dumps(one))) for one in genotypes]


def best_by_validation(cells: Iterable[str], accuracies: Accuracies) -> str:
    """Returns the cell with the best validation accuracy after 12 epochs."""
    place = ACCURACIES.index(SEARCHED)
    return max(cells, key=lambda cell: accuracies[cell][place])


def errors(cells, accuracies: Accuracies) -> np.ndarray:
    """Returns (validation, true) errors in percent, [cells, 2]."""
    places = [ACCURACIES.index(name) for name in (SEARCHED, RANKED)]
    rows = np.array([accuracies[cell] for cell in cells])
    return 100 - rows[:, places]
