"""Converts derived cells to mixing weights of a supernet."""

from __future__ import annotations

import numpy as np

from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype


def derived_weights(spec: CellSpec, cell: CellGenotype) -> np.ndarray:
    """Returns [edges, candidates]: 1 where the cell keeps an operation, else 0.

    The rows of edges that the cell does not keep are all zero. A supernet
    with these mixing weights computes the derived operations with its own
    weights, and sums no other.

    Args:
      spec: the cell's specification.
      cell: a cell that was derived from it, of its nodes and candidates.
    """
    weights = np.zeros(spec.alpha_shape, np.float32)
    targets = spec.entered(len(cell.edges))
    for target, (operation, source) in zip(targets, cell.edges, strict=True):
        row = spec.edges.index((source, target))
        weights[row, spec.candidates[row].index(operation)] = 1
    return weights


def genotype_weights(space: SearchSpace, genotype: Genotype) -> dict[str, np.ndarray]:
    """Returns the `derived_weights` of each of a genotype's cells, by name."""
    return {
        spec.name: derived_weights(spec, genotype.cells[spec.name])
        for spec in space.cells
    }
