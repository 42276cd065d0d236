"""A cell as a directed acyclic graph, and the spaces made of cells.

DARTS sect. 2.1: a cell is an ordered sequence of nodes; each edge (i, j)
carries one operation; every node is the sum over its predecessors (eq. 1).
Plain data: nothing here knows how an operation is computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from darts_tf.errors import InputError

ZERO = "none"  # the zero operation of DARTS sect. 2.1: no connection
IDENTITY = "skip_connect"
NOISE = "noise"  # standard normal noise instead of the input: space s4


@dataclasses.dataclass(frozen=True)
class CellSpec:
    """The nodes, edges and candidates of one kind of cell.

    Attributes:
      name: the cell's name in genotypes ("normal", "reduce").
      inputs: number of input nodes; they are the nodes 0 .. inputs - 1.
      nodes: number of intermediate nodes that are searched.
      candidates: for each edge, in the order of `edges`, the names of its
        candidate operations in the order of alpha's columns. Every edge has
        the same number of them, so that alpha is one array
        [edges, candidates].
      predecessors: how many edges each node keeps at derivation (the k of
        sect. 2.4); None for all of them.
      concat: the nodes that form the cell's output: concatenated, or in the
        recurrent space averaged.
      zero_kept: whether a derived edge may carry the zero operation; in
        DARTS never.
      links: the edges where a node is not entered from every earlier one: each
        enters another node, in their order (the layers of a chain). Empty: an
        edge from every node to every later one.

    Raises:
      InputError: the numbers do not fit together.
    """

    name: str
    inputs: int
    nodes: int
    candidates: tuple[tuple[str, ...], ...]
    predecessors: int | None
    concat: tuple[int, ...]
    zero_kept: bool = False
    links: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if len(self.candidates) != len(self.edges):
            raise InputError(
                f"cell '{self.name}': {self.nodes} nodes have "
                f"{len(self.edges)} edges, each needs a tuple of candidates. "
                f"Received: {len(self.candidates)} tuples"
            )
        if len({len(names) for names in self.candidates}) != 1:
            raise InputError(
                f"cell '{self.name}': every edge needs the same number of "
                f"candidates. Received: "
                f"{sorted({len(names) for names in self.candidates})}"
            )
        for names in self.candidates:
            if len(set(names)) != len(names) or set(names) <= {ZERO}:
                raise InputError(
                    f"cell '{self.name}': an edge needs distinct candidates, "
                    f"one of them not '{ZERO}'. Received: {names}"
                )

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(source, target) of each edge, in the order of alpha's rows."""
        if self.links:
            return self.links
        first = self.inputs
        return tuple(
            (source, target)
            for target in range(first, first + self.nodes)
            for source in range(target)
        )

    @property
    def targets(self) -> Sequence[int]:
        """The nodes that edges enter; alpha's rows stand in their order."""
        if self.links:
            return tuple(target for _, target in self.links)
        return range(self.inputs, self.inputs + self.nodes)

    @property
    def title(self) -> str:
        """The cell's title in pictures: "normal cell", or "cell" alone."""
        if self.links:
            return f"{self.name} layers"
        return self.name if self.name == "cell" else f"{self.name} cell"

    @property
    def alpha_shape(self) -> tuple[int, int]:
        """Shape [edges, candidates] of the cell's alpha."""
        return len(self.candidates), len(self.candidates[0])

    def parted(self, rows) -> tuple[Any, Any]:
        """Splits rows into (alpha [..., edges, candidates], beta [..., edges] or None).

        Args:
          rows: alpha, or alpha with beta as one more column: a weight for
            each edge as a whole (edge normalisation, strategy/darts/relaxation.py).
        """
        count = self.alpha_shape[1]
        if rows.shape[-1] == count:
            return rows, None
        return rows[..., :count], rows[..., count]

    def entered(self, edges: int) -> tuple[int, ...]:
        """Returns the node that each of `edges` edges of a derived cell enters.

        Every node in turn keeps its edges; a published cell may have more
        nodes than are searched here.

        Raises:
          InputError: they do not make up whole nodes.
        """
        if self.links:
            if edges != len(self.links):
                raise InputError(
                    f"the {self.title} are {len(self.links)}; received {edges}"
                )
            return tuple(self.targets)
        targets: list[int] = []
        node = self.inputs
        while len(targets) < edges:
            targets += [node] * (self.predecessors or node)
            node += 1
        if not edges or len(targets) != edges:
            rule = (
                f"{self.predecessors} incoming edges, so their number is a "
                f"multiple of {self.predecessors}"
                if self.predecessors
                else "an edge from each node before it"
            )
            raise InputError(
                f"cell '{self.name}': every node has {rule}; received {edges}"
            )
        return tuple(targets)

    def outgoing(self, source: int) -> tuple[tuple[int, int], ...]:
        """Returns (row of alpha, target) of each edge that leaves node `source`."""
        return tuple(
            (row, target)
            for row, (start, target) in enumerate(self.edges)
            if start == source
        )

    def incoming(self, target: int) -> tuple[tuple[int, int], ...]:
        """Returns (row of alpha, source) of each edge that enters node `target`."""
        return tuple(
            (row, source)
            for row, (source, end) in enumerate(self.edges)
            if end == target
        )


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """The cells that are searched together.

    Attributes:
      name: what genotypes of this space carry as "space".
      cells: one specification for each kind of cell.
      operations: every operation that a genotype of this space may name;
        published cells use some that are no candidates here.
      identity: the operation that hands its input on unchanged.
    """

    name: str
    cells: tuple[CellSpec, ...]
    operations: tuple[str, ...]
    identity: str = IDENTITY

    def cell(self, name: str) -> CellSpec:
        """Returns the specification of the cell called `name`."""
        for spec in self.cells:
            if spec.name == name:
                return spec
        raise InputError(
            f"space '{self.name}' has no cell '{name}'; it has "
            f"{', '.join(spec.name for spec in self.cells)}"
        )
