"""A random genotype: the baseline that every search has to beat."""

from __future__ import annotations

import numpy as np

from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype


def random_genotype(space: SearchSpace, seed: int) -> Genotype:
    """Uniform over distinct predecessors and the operations kept.

    The zero operation is among them in a space that keeps it.
    """
    generator = np.random.default_rng(seed)
    cells = {spec.name: _cell(spec, generator) for spec in space.cells}
    return Genotype(space.name, cells)


def _cell(spec: CellSpec, generator: np.random.Generator) -> CellGenotype:
    edges = []
    for node in range(spec.inputs, spec.inputs + spec.nodes):
        entering = spec.incoming(node)
        kept = generator.choice(
            len(entering), spec.predecessors or len(entering), replace=False
        )
        for row, source in sorted(entering[i] for i in kept):
            names = [
                name
                for name in spec.candidates[row]
                if name != ZERO or spec.zero_kept
            ]
            edges.append((str(generator.choice(names)), source))
    return CellGenotype(tuple(edges), spec.concat)
