"""Draws a random genotype: the baseline that every search has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.decisions import operations
from darts_tf.space.genotype import CellGenotype, Genotype


def random_genotype(space: SearchSpace, seed: int | Sequence[int]) -> Genotype:
    """Draws uniformly over distinct predecessors and the allowed operations.

    The zero operation is among them in a space that keeps it.

    Args:
      space: the genotype's space.
      seed: a number, or several that make a seed together.
    """
    generator = np.random.default_rng(seed)
    cells = {spec.name: _cell(spec, generator) for spec in space.cells}
    return Genotype(space.name, cells)


def _cell(spec: CellSpec, generator: np.random.Generator) -> CellGenotype:
    edges = []
    for node in spec.targets:
        entering = spec.incoming(node)
        chosen = generator.choice(
            len(entering), spec.predecessors or len(entering), replace=False
        )
        for row, source in sorted(entering[i] for i in chosen):
            names = operations(spec, row)
            edges.append((str(generator.choice(names)), source))
    return CellGenotype(tuple(edges), spec.concat)
