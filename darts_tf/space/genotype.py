"""Genotypes: the operation and the predecessor of each edge of derived cells.

Genotypes are JSON and are never evaluated as code:

    {"space": "darts_conv",
     "normal": [["sep_conv_3x3", 0], ...], "normal_concat": [2, 3, 4, 5],
     "reduce": [["max_pool_3x3", 0], ...], "reduce_concat": [2, 3, 4, 5]}

A space of one cell writes "concat" for that cell's output nodes. A chain is its
operations, a list for each stage:

    {"space": "mobile_chain",
     "stages": [["mb_conv_3x3_e6", "skip_connect", ...], ...]}
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from types import MappingProxyType

from darts_tf.errors import InputError, closest
from darts_tf.reading import parse_json, read_text, reason_of
from darts_tf.space import operation_names
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.chain import ChainSpace
from darts_tf.space.registry import (
    definition,
    space_by_name,
    space_from_definition,
)

LARGEST = 2**20
"""Bytes of the largest file that is read as a genotype."""

Edge = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class CellGenotype:
    """One derived cell.

    Attributes:
      edges: (operation, predecessor), for each node in turn (CellSpec's
        `entered` says which); in the convolutional space edges[2 * i] and
        edges[2 * i + 1] enter node i + 2.
      concat: the nodes whose concatenation is the output.
    """

    edges: tuple[Edge, ...]
    concat: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Genotype:
    """A derived architecture, checked against its space.

    Attributes:
      space: the space's name.
      cells: the derived cells by name, in the space's order.

    Raises:
      InputError: an operation or node that the space does not have.
    """

    space: str
    cells: Mapping[str, CellGenotype]

    def __post_init__(self) -> None:
        space = space_by_name(self.space)
        wanted = [spec.name for spec in space.cells]
        if sorted(self.cells) != sorted(wanted):
            raise InputError(
                f"a genotype of space '{self.space}' needs the cells "
                f"{', '.join(wanted)}; this one has "
                f"{', '.join(self.cells) or 'none'}"
            )
        for spec in space.cells:
            _check_cell(space, spec, self.cells[spec.name])
        ordered = {name: self.cells[name] for name in wanted}
        object.__setattr__(self, "cells", MappingProxyType(ordered))

    def __str__(self) -> str:
        """Returns the genotype as JSON text."""
        return self.to_json().rstrip()

    def __hash__(self) -> int:
        return hash((self.space, tuple(self.cells.items())))

    def count(self, operation: str, cell: str) -> int:
        """Returns how many edges of `cell` carry `operation`."""
        return sum(name == operation for name, _ in self.cells[cell].edges)

    def to_json(self) -> str:
        """Returns the genotype as JSON text that `from_json` reads back."""
        rows: list[str] = [f'"space": {json.dumps(self.space)}']
        space = space_by_name(self.space)
        if isinstance(space, ChainSpace):
            stages = ",\n  ".join(map(json.dumps, space.by_stage(self.cells)))
            return "{" + f'{rows[0]},\n "stages": [\n  {stages}]' + "}\n"
        arguments = definition(space)
        if arguments is not None:
            rows.append(f'"definition": {json.dumps(arguments)}')
        for name, cell in self.cells.items():
            edges = json.dumps([list(edge) for edge in cell.edges])
            rows.append(f"{json.dumps(name)}: {edges}")
            concat = json.dumps(_concat_key(self.cells, name))
            rows.append(f"{concat}: {json.dumps(list(cell.concat))}")
        return "{" + ",\n ".join(rows) + "}\n"

    @classmethod
    def from_file(cls, path: str | os.PathLike) -> Genotype:
        """Reads a JSON file; raises InputError, which names it."""
        try:
            return cls.from_json(read_text(path, LARGEST))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path} cannot be read ({reason_of(error)}); give a genotype, JSON"
            ) from error

    @classmethod
    def from_json(cls, text: str) -> Genotype:
        """Reads and checks JSON text.

        Raises:
          InputError: no JSON, keys missing or unknown, or a cell that its
            space does not have.
        """
        try:
            data = parse_json(text.removeprefix("\ufeff"))
        except ValueError as error:
            raise InputError(f"a genotype must be JSON: {error}") from None
        if not isinstance(data, dict) or "space" not in data:
            raise InputError(
                'a genotype must be a JSON object with "space" and its cells; '
                f"received {text.strip()[:60]!r}"
            )
        space = _read_space(data)
        names = [spec.name for spec in space.cells]
        keys = {"space", *names, *(_concat_key(names, n) for n in names)}
        if isinstance(space, ChainSpace):
            keys = {"space", "stages"}
        if set(data) != keys:
            raise InputError(
                f"a genotype of space '{space.name}' has the keys "
                f"{', '.join(sorted(keys))}; missing: "
                f"{', '.join(sorted(keys - set(data))) or 'none'}; unknown: "
                f"{', '.join(sorted(set(data) - keys)) or 'none'}"
            )
        if isinstance(space, ChainSpace):
            return chain_genotype(space, data["stages"])
        return cls(
            space.name,
            {
                name: CellGenotype(
                    _read_edges(name, data[name]),
                    _read_concat(name, data[_concat_key(names, name)]),
                )
                for name in names
            },
        )


def chain_genotype(space: ChainSpace, stages: object) -> Genotype:
    """Returns the genotype of a chain.

    Args:
      space: of chains.
      stages: names of operations, a list for each stage.

    Raises:
      InputError: other numbers of stages or layers than the space has, or an
        operation that is no candidate of its layer.
    """
    edges = space.edges_of(stages)
    cells = {
        spec.name: CellGenotype(edges[spec.name], spec.concat) for spec in space.cells
    }
    return Genotype(space.name, cells)


def _read_space(data: dict) -> SearchSpace:
    """Returns the genotype's space, taking its definition out of `data`."""
    if "definition" not in data:
        return space_by_name(data["space"])
    return space_from_definition(data["space"], data.pop("definition"))


def _concat_key(cells, name: str) -> str:
    return "concat" if len(cells) == 1 else f"{name}_concat"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_edges(cell: str, value: object) -> tuple[Edge, ...]:
    pairs: list = value if isinstance(value, list) else [value]
    for pair in pairs:
        if not (
            isinstance(pair, list)
            and len(pair) == 2
            and isinstance(pair[0], str)
            and _is_int(pair[1])
        ):
            raise InputError(
                f"cell '{cell}': an edge is [operation, predecessor], for "
                f'example ["skip_connect", 0]; received {json.dumps(pair)}'
            )
    return tuple((name, node) for name, node in pairs)


def _read_concat(cell: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(map(_is_int, value)):
        raise InputError(
            f"cell '{cell}': the concat is a list of node numbers; received "
            f"{json.dumps(value)}"
        )
    return tuple(value)


def _check_cell(space: SearchSpace, spec: CellSpec, cell: CellGenotype) -> None:
    """Checks a cell's edges, operations and output nodes against its space.

    Published cells may have more nodes than are searched here, but not where
    all edges are kept: there only the operations are free.
    """
    if spec.links:
        _check_layers(spec, cell)
        return
    fixed = spec.predecessors is None
    sizes = len(cell.edges), cell.concat
    if fixed and sizes != (len(spec.edges), spec.concat):
        raise InputError(
            f"cell '{spec.name}': it has {len(spec.edges)} edges and the "
            f"concat {list(spec.concat)}; received {sizes[0]} edges and "
            f"{list(cell.concat)}"
        )
    targets = spec.entered(len(cell.edges))
    names = [name for name, _ in cell.edges if name in space.operations]
    operation_names.check_registered(names, f"cell '{spec.name}' of the genotype")
    allowed = [n for n in space.operations if n != ZERO or spec.zero_kept]
    places: dict[int, int] = {}
    for index, (operation, source) in enumerate(cell.edges):
        if operation not in allowed:
            raise InputError(
                f"cell '{spec.name}': unknown operation {operation!r}"
                f"{closest(operation, allowed)}; the operations are "
                f"{', '.join(allowed)}"
            )
        target = targets[index]
        place = places[target] = places.get(target, -1) + 1
        if fixed and source != place:
            raise InputError(
                f"cell '{spec.name}': every node keeps the edges from all "
                f"nodes before it, in their order, so the predecessor of "
                f"edge {index} is {place}; received {source}"
            )
        if not 0 <= source < target:
            raise InputError(
                f"cell '{spec.name}': edge {index} enters node {target}, so "
                f"its predecessor is one of 0..{target - 1}; received "
                f"{source}"
            )
    _check_concat(spec, cell, targets[-1])


def _check_layers(spec: CellSpec, cell: CellGenotype) -> None:
    """Checks the layers of a chain, each of which has candidates of its own."""
    spec.entered(len(cell.edges))
    for (source, layer), names, edge in zip(spec.links, spec.candidates, cell.edges):
        if edge[0] not in names or edge[1] != source:
            raise InputError(
                f"layer {layer} of the chain: unknown operation {edge[0]!r}"
                f"{closest(edge[0], names)}; the operations of the {spec.title} are "
                f"{', '.join(names)}"
            )


def _check_concat(spec: CellSpec, cell: CellGenotype, last: int) -> None:
    inside = all(spec.inputs <= node <= last for node in cell.concat)
    distinct = len(set(cell.concat)) == len(cell.concat)
    if not (cell.concat and inside and distinct):
        raise InputError(
            f"cell '{spec.name}': the concat lists distinct intermediate "
            f"nodes, each one of {spec.inputs}..{last} (the cell has "
            f"{len(cell.edges)} edges); received {list(cell.concat)}"
        )
