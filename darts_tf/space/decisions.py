"""Describes a genotype as categorical decisions that a strategy can take.

A genotype is decided cell by cell and node by node: first which predecessors
the node keeps, one decision among all sets of as many as the space keeps;
then the operation of each edge that was kept, among its own candidates. So
the decisions form a tree: that on an edge's operation is only taken where
the edge is kept. Whatever is chosen, the genotype is valid; every genotype
that can be derived (strategy/darts/derivation.py) can be chosen, but for the order
of a node's edges, which means nothing: here the lower predecessor is first.

In NAS-Bench-201 every edge is kept and only operations are decided, zero
among them. What leaves no choice is no decision.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

from darts_tf.errors import InputError
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.registry import space_by_name


@dataclasses.dataclass(frozen=True)
class Decision:
    """One choice among at least two options.

    Attributes:
      name: "normal/3/predecessors" of node 3 or "normal/0-3" of an edge.
      options: sets of predecessors, or names of operations.
    """

    name: str
    options: tuple[tuple[int, ...] | str, ...]


Choose = Callable[[Decision], int]
"""Returns the index of the option chosen for a decision."""


def operations(spec: CellSpec, row: int) -> tuple[str, ...]:
    """Returns the candidates that a derived edge may carry, for alpha's row `row`."""
    return tuple(
        name for name in spec.candidates[row] if name != ZERO or spec.zero_kept
    )


def decisions(space: str) -> tuple[Decision, ...]:
    """Returns every decision that may have to be taken, in order."""
    return _decisions(space_by_name(space))


@functools.cache
def _decisions(space: SearchSpace) -> tuple[Decision, ...]:
    every = [
        decision
        for spec in space.cells
        for node in spec.targets
        for decision in (_predecessors(spec, node), *_entering(spec, node).values())
    ]
    return tuple(d for d in every if len(d.options) > 1)


def decide(space: SearchSpace, choose: Choose) -> Genotype:
    """Returns the genotype that `choose` decides on, called once a decision."""
    cells = {spec.name: _decide_cell(spec, choose) for spec in space.cells}
    return Genotype(space.name, cells)


def decided(genotype: Genotype) -> dict[str, int]:
    """Returns the choices that lead to a genotype, by the decision's name.

    Raises:
      InputError: a genotype that cannot be derived in its space, as some
        published ones cannot.
    """
    space, choices = space_by_name(genotype.space), {}
    wanted = _options_of(genotype)

    def choose(decision: Decision) -> int:
        try:
            choices[decision.name] = decision.options.index(wanted[decision.name])
        except (KeyError, ValueError):
            raise _outside(genotype) from None
        return choices[decision.name]

    if decide(space, choose) != canonical(genotype):
        raise _outside(genotype)
    return choices


def canonical(genotype: Genotype) -> Genotype:
    """Returns the genotype with each node's edges in order of their predecessors."""
    space, cells = space_by_name(genotype.space), {}
    for name, cell in genotype.cells.items():
        targets = space.cell(name).entered(len(cell.edges))
        edges = sorted(zip(targets, cell.edges), key=lambda pair: (pair[0], pair[1][1]))
        cells[name] = CellGenotype(tuple(e for _, e in edges), cell.concat)
    return Genotype(genotype.space, cells)


def _predecessors(spec: CellSpec, node: int) -> Decision:
    sources = [source for _, source in spec.incoming(node)]
    count = min(spec.predecessors or len(sources), len(sources))
    options = tuple(itertools.combinations(sources, count))
    return Decision(f"{spec.name}/{node}/predecessors", options)


def _entering(spec: CellSpec, node: int) -> dict[int, Decision]:
    """Returns by predecessor the decisions on the operations that enter a node."""
    return {
        source: Decision(f"{spec.name}/{source}-{node}", operations(spec, row))
        for row, source in spec.incoming(node)
    }


def _decide_cell(spec: CellSpec, choose: Choose) -> CellGenotype:
    edges = []
    for node in spec.targets:
        entering = _entering(spec, node)
        for source in _option(_predecessors(spec, node), choose):
            edges.append((_option(entering[source], choose), source))
    return CellGenotype(tuple(edges), spec.concat)


def _option(decision: Decision, choose: Choose) -> Any:
    if len(decision.options) == 1:
        return decision.options[0]
    return decision.options[choose(decision)]


def _options_of(genotype: Genotype) -> dict[str, object]:
    """Returns the option that the genotype has, by the decision's name."""
    space, options = space_by_name(genotype.space), {}
    for name, cell in genotype.cells.items():
        predecessors: dict[int, list[int]] = {}
        targets = space.cell(name).entered(len(cell.edges))
        for node, (operation, source) in zip(targets, cell.edges):
            options[f"{name}/{source}-{node}"] = operation
            predecessors.setdefault(node, []).append(source)
        for node, sources in predecessors.items():
            options[f"{name}/{node}/predecessors"] = tuple(sorted(sources))
    return options


def _outside(genotype: Genotype) -> InputError:
    return InputError(
        f"the genotype {' '.join(genotype.to_json().split())} cannot be "
        f"derived in the space '{genotype.space}' (a published cell may have "
        f"other nodes or operations); give one that a search found"
    )
