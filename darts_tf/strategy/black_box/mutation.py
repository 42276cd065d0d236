"""Mutates a genotype, as regularised evolution does.

Real et al. 2019, sect. "Evolutionary algorithm": in a random cell, a random
edge gets another operation or comes from another node, with equal chance.
Where every edge is kept (NAS-Bench-201) only operations change.

Departures: the child always differs from its parent (they also let it be
the same, seldom), and a node keeps distinct predecessors, as in DARTS. The
operation moves with its edge; where the new place does not have it among its
candidates (S1), one of those is drawn.
"""

from __future__ import annotations

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import CellSpec
from darts_tf.space.decisions import canonical, operations
from darts_tf.space.genotype import CellGenotype, Edge, Genotype
from darts_tf.space.registry import space_by_name


def mutated(genotype: Genotype, generator: np.random.Generator) -> Genotype:
    """Returns a genotype that differs in one edge.

    Raises:
      InputError: the space has no other.
    """
    cells = dict(genotype.cells)
    spec = _one(space_by_name(genotype.space).cells, generator)
    edges = list(cells[spec.name].edges)
    changes = [kind for kind in _changes(spec, edges) if any(kind)]
    if not changes:
        raise InputError(f"cell '{spec.name}' has nothing that may differ")
    change = _one(changes, generator)
    place = _one([i for i, others in enumerate(change) if others], generator)
    edges[place] = _one(_one(change[place], generator), generator)
    cells[spec.name] = CellGenotype(tuple(edges), cells[spec.name].concat)
    return canonical(Genotype(genotype.space, cells))


def _one(items, generator: np.random.Generator):
    """Draws one item of a sequence, each with the same chance."""
    return items[generator.integers(len(items))]


def _changes(spec: CellSpec, edges: list[Edge]) -> tuple[list, list]:
    """Returns (by operation, by predecessor) the alternatives of each edge.

    An alternative is a list of edges, one of which is to be drawn.
    """
    targets = spec.entered(len(edges))
    by_operation, by_predecessor = [], []
    for (operation, source), target in zip(edges, targets):
        by_operation.append(
            [
                [(name, source)]
                for name in _on(spec, source, target)
                if name != operation
            ]
        )
        sources = {e[1] for e, t in zip(edges, targets) if t == target}
        by_predecessor.append(
            [
                _moved(spec, operation, other, target)
                for _, other in spec.incoming(target)
                if other not in sources
            ]
        )
    return by_operation, by_predecessor


def _moved(spec, operation: str, source: int, target: int) -> list[Edge]:
    """Returns the edge from another node, with its operation if it is allowed there."""
    allowed = _on(spec, source, target)
    names = (operation,) if operation in allowed else allowed
    return [(name, source) for name in names]


def _on(spec: CellSpec, source: int, target: int) -> tuple[str, ...]:
    return operations(spec, spec.edges.index((source, target)))
