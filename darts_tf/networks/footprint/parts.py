"""Lists the parts of all networks of a space at one size: operations with shapes.

A derived network is a sum of parts: what every network of its size has (the
stem, what brings a cell's inputs to its size, sums of nodes, the classifier)
and one candidate on each kept edge. Costs that can be counted by tracing
(programs/search_costs.py) and times (programs/latency.py) are taken of each
distinct part once.

A derived network that has a method `parts` takes part in both.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.cell import Cell, activated, add
from darts_tf.networks.discrete_edges import DiscreteEdges
from darts_tf.networks.footprint.cost_table import rows_by_node
from darts_tf.networks.footprint.part import CALL, Part
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.space.registry import space_by_name

Shape = tuple[int, ...]


class Piece(operations.Block):
    """A layer that computes one part of a network.

    Args:
      compute: (map [B, H, W, C], or a list of `inputs` maps, training) -> a
        tensor, or a dict of tensors by name.
      layers: those whose weights it uses.
      inputs: number of maps that enter, all of one shape.
    """

    def __init__(self, compute: Callable, layers: Sequence = (), inputs: int = 1):
        super().__init__()
        self.compute, self.layers, self.inputs = compute, list(layers), inputs

    def call(self, x, training=False):
        """Computes the part."""
        return self.compute(x, training)


@dataclasses.dataclass(frozen=True, eq=False)
class NetworkParts:
    """The parts of all networks of a space, at one size.

    Attributes:
      candidates: by the name of a kind of cell, for each edge and each of its
        candidates the parts that this choice adds, in all cells of the kind
        together; none for what costs nothing (the zero operation, the identity
        with stride 1).
      around: what every network has, repeated as often as it has it.
      makers: by part, a function that makes its layer.
    """

    candidates: Mapping[str, Sequence[Sequence[Sequence[Part]]]]
    around: Sequence[Part]
    makers: Mapping[Part, Callable[[], Piece]]

    def distinct(self) -> list[Part]:
        """Returns each part once, the parts around the candidates first."""
        every = list(self.around)
        for rows in self.candidates.values():
            every += [part for row in rows for parts in row for part in parts]
        return list(dict.fromkeys(every))

    def restricted(self, space: SearchSpace) -> NetworkParts:
        """Returns the parts of networks with fewer candidates on each edge.

        Args:
          space: a later stage of a search in the space of its name.
        """
        candidates = {}
        for spec in space.cells:
            rows = zip(
                spec.candidates,
                space_by_name(space.name).cell(spec.name).candidates,
                self.candidates[spec.name],
                strict=True,
            )
            candidates[spec.name] = [
                [parts[whole.index(name)] for name in row] for row, whole, parts in rows
            ]
        return dataclasses.replace(self, candidates=candidates)

    def alternatives(self) -> list[list[Part]]:
        """Returns the candidates that compete at a shape, shape by shape."""
        groups: dict[Part, list[Part]] = {}
        for part in self.distinct()[len(set(self.around)) :]:
            shape = dataclasses.replace(part, operation="")
            groups.setdefault(shape, []).append(part)
        return list(groups.values())


def of_cells(
    space: SearchSpace, network, around: Iterable[tuple[Part, Callable[[], Piece]]]
) -> NetworkParts:
    """Returns the parts of the networks made of a space's cells.

    Args:
      space: of the cells.
      network: a built derived network with `cells` and their `kinds`.
      around: the parts before, between and behind the cells with their makers.
    """
    makers: dict[Part, Callable[[], Piece]] = dict([call_part()])
    constant = [CALL]
    chosen = {s.name: [[[] for _ in r] for r in s.candidates] for s in space.cells}
    for kind, cell in zip(network.kinds, network.cells, strict=True):
        spec = space.cell(kind)
        for part, maker in [*_inputs(cell), _sums(spec, cell)]:
            makers.setdefault(part, maker)
            constant.append(part)
        for row, (source, _) in enumerate(spec.edges):
            shape, stride = _edge(spec, cell, source)
            for column, name in enumerate(spec.candidates[row]):
                if name == ZERO or (name == space.identity and stride == 1):
                    continue
                height, width, channels = shape
                part = Part(name, height, width, channels, channels, stride)
                makers.setdefault(part, functools.partial(_candidate, part))
                chosen[kind][row][column].append(part)
    for part, maker in around:
        makers.setdefault(part, maker)
        constant.append(part)
    return NetworkParts(chosen, tuple(constant), makers)


def call_part() -> tuple[Part, Callable[[], Piece]]:
    """Returns the smallest network, which takes as long as any call, and its maker."""
    return CALL, lambda: Piece(lambda x, training: tf.nn.relu(x))


Made = tuple[Part, Callable[[], Piece]]


def of_chain(
    choices: Mapping[str, Sequence[Sequence[Made | None]]], around: Iterable[Made]
) -> NetworkParts:
    """Returns the parts of networks whose layers are chosen one by one.

    Args:
      choices: by the name of a kind of layer, for each layer and each of its
        candidates its part and the maker of that; None for a skipped layer.
      around: the same of what every network has.
    """
    fixed = [call_part(), *around]
    chosen = [made for rows in choices.values() for row in rows for made in row]
    candidates = {
        kind: [[() if made is None else (made[0],) for made in row] for row in rows]
        for kind, rows in choices.items()
    }
    makers = dict(filter(None, [*chosen, *fixed]))
    return NetworkParts(candidates, tuple(part for part, _ in fixed), makers)


def of_layer(
    name: str, layer, activated: bool = False
) -> tuple[Part, Callable[[], Piece]]:
    """Returns a built layer as a part, and its maker.

    Args:
      name: of the part.
      layer: it knows the shape of its input.
      activated: whether a ReLU is before it.
    """
    shape = tuple(layer.get_build_config()["input_shape"])
    height, width, channels = shape[1:]
    result = layer.compute_output_shape(shape)
    stride = math.ceil(height / result[1])

    def compute(x, training):
        return layer(tf.nn.relu(x) if activated else x, training=training)

    part = Part(name, height, width, channels, result[-1], stride)
    return part, functools.partial(Piece, compute, [layer])


def of_stems(stems: Sequence) -> list[tuple[Part, Callable[[], Piece]]]:
    """Returns the built stems of a network; all but the first have a ReLU before."""
    return [of_layer("stem", stem, place > 0) for place, stem in enumerate(stems)]


def of_head(network, layers: Sequence) -> tuple[Part, Callable[[], Piece]]:
    """Returns what is behind the last cell of a built network, and its maker.

    Args:
      network: its `classify` takes the last cell's output to logits.
      layers: those whose weights this uses.
    """
    cell = network.cells[-1]
    height, width, channels = _inside(cell)
    part = Part(
        "head",
        height,
        width,
        len(cell.concat) * channels,
        network.classifier.units,
        1,
    )

    def compute(x, training):
        return network.classify(x, training)

    return part, functools.partial(Piece, compute, layers)


def _candidate(part: Part) -> Piece:
    """Makes a candidate operation without the ReLU of the node that it leaves."""
    edges = DiscreteEdges([(0, part.operation)], part.input_channels, part.stride, 0)
    operations.build_once(edges, (None, *part.input_shape))
    (operation,) = edges.operations

    def compute(x, training):
        if operation is not None:
            return operation(x, training=training)
        ((_, (term,)),) = edges(x, training=training)
        return term

    return Piece(compute, [edges])


def _inputs(cell: Cell) -> list[tuple[Part, Callable[[], Piece]]]:
    """Returns the layers that bring a cell's inputs to its size and width."""
    names = {True: "input_reduce", False: "input_conv"}
    return [
        _input(names[isinstance(layer, operations.FactorizedReduce)], layer)
        for layer in cell.inputs_to_states
        if layer is not None
    ]


def _input(name: str, layer) -> tuple[Part, Callable[[], Piece]]:
    """Returns the layer of a cell's input, with a ReLU before and one behind it."""

    def compute(x, training):
        node = layer(activated(x), training=training)
        return {"output": node, "active": activated(node)}

    return of_layer(name, layer)[0], functools.partial(Piece, compute, [layer])


def _sums(spec: CellSpec, cell: Cell) -> tuple[Part, Callable[[], Piece]]:
    """Returns the sums of nodes, their ReLUs and the concatenation of a cell.

    With the ReLU of an input that is a node as it is, which has the others' shape.
    """
    bare = cell.inputs_to_states.count(None)
    height, width, channels = _inside(cell)
    counts = [
        min(spec.predecessors or len(rows), len(rows)) for rows in rows_by_node(spec)
    ]
    names = f"{spec.name}_sums", height, width, channels, len(spec.concat) * channels, 1

    def compute(terms, training):
        del training
        left = iter(terms if isinstance(terms, list | tuple) else [terms])
        active = {f"input_{n}": activated(next(left)) for n in range(bare)}
        nodes = [add([next(left) for _ in range(count)]) for count in counts]
        output = [nodes[node - spec.inputs] for node in spec.concat]
        result = output[0] if len(output) == 1 else tf.concat(output, -1)
        active |= {f"node_{n}": activated(node) for n, node in enumerate(nodes[:-1])}
        return active | {"output": result}

    return Part(*names), functools.partial(Piece, compute, (), bare + sum(counts))


def _edge(spec: CellSpec, cell: Cell, source: int) -> tuple[Shape, int]:
    """Returns ([H, W, C] of the node that an edge leaves, the edge's stride)."""
    if source >= spec.inputs:
        return _inside(cell), 1
    leaving = _leaving(cell, spec.inputs)
    return _shape_of(leaving), leaving.stride


def _inside(cell: Cell) -> Shape:
    """Returns [H, W, C] of the intermediate nodes of a built cell."""
    leaving = _leaving(cell, len(cell.inputs_to_states))
    return tuple(leaving.compute_output_shape((None, *_shape_of(leaving))))[1:]


def _leaving(cell: Cell, inputs: int):
    """Returns the edges that leave one of the cell's inputs: all have one shape."""
    return next(unit for unit in cell.units[:inputs] if unit is not None)


def _shape_of(layer) -> Shape:
    return tuple(layer.get_build_config()["input_shape"])[1:]
