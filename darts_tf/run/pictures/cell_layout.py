"""Computes the positions, in inches, of all parts of a cell's picture.

Layered drawing (Sugiyama, Tagawa and Toda 1981): nodes stand in columns by
their longest path from an input. Between two columns of nodes lies a column
for labels, and an edge that skips a column passes through it in a slot of
its own, level while inside. So no label can overlap a box, another label or
another edge.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

from darts_tf.run.pictures.crossing_reduction import reduce_crossings

RELAXATIONS = 60
NODE_WIDTH, NODE_HEIGHT, PORT = 0.62, 0.42, 0.15
LABEL_HEIGHT, PASS_HEIGHT = 0.24, 0.08
GAP_Y, GAP_X, GAP_SLOPE = 0.12, 0.30, 0.14


@dataclasses.dataclass(frozen=True)
class Edge:
    """An arrow to draw; `label` is "" for an edge into the output."""

    source: int
    target: int
    label: str


@dataclasses.dataclass
class Item:
    """One item of a column: a node, a label, or an edge that passes by.

    Attributes:
      column: number of its column, from the left.
      width, height: its size in inches.
      node: the node's number, None for labels and passing edges.
      x, y: its centre in inches; y grows upwards.
    """

    column: int
    width: float
    height: float
    node: int | None = None
    x: float = 0.0
    y: float = 0.0


@dataclasses.dataclass
class Layout:
    """The positions of all parts of a drawing.

    Attributes:
      nodes: the item of each node by its number.
      chains: for each edge the items it visits, both nodes included.
      labels: for each edge the item of its label, or None.
      ports: for each edge the heights at which it leaves and enters.
      columns: (left, right) of each column.
      size: (width, height) in inches; the lower left corner is (0, 0).
    """

    nodes: dict[int, Item]
    chains: list[list[Item]]
    labels: list[Item | None]
    ports: list[tuple[float, float]]
    columns: list[tuple[float, float]]
    size: tuple[float, float]


def place(
    columns: Mapping[int, int],
    edges: Sequence[Edge],
    widths: Mapping[str, float],
    node_widths: Mapping[int, float],
) -> Layout:
    """Computes the layout of a cell.

    Args:
      columns: the column of each node; see `node_columns`.
      edges: the arrows, each from a lower to a higher column.
      widths: the width in inches of each label's text.
      node_widths: the same for boxes wider than usual, by node.
    """
    degree = defaultdict(int)
    for edge in edges:
        degree["out", edge.source] += 1
        degree["in", edge.target] += 1
    nodes = {
        node: Item(
            column,
            max(NODE_WIDTH, node_widths.get(node, 0)),
            max(NODE_HEIGHT, PORT * max(degree["in", node], degree["out", node])),
            node,
        )
        for node, column in columns.items()
    }
    chains, labels = _chains(nodes, edges, widths)
    layers = reduce_crossings(_layers(nodes, chains), chains)
    _set_heights(layers, chains)
    ports = _ports(nodes, chains)
    spans = _set_columns(layers, chains)
    height = _shift_up(layers, ports)
    return Layout(nodes, chains, labels, ports, spans, (spans[-1][1], height))


def node_columns(
    inputs: int, nodes: int, edges: Sequence[Edge], output: int
) -> dict[int, int]:
    """Returns the column of each node: even for nodes, odd for labels.

    Node numbers 0 .. inputs - 1 are inputs, then come `nodes` intermediate
    ones in an order in which edges only go forward. The output stands in
    the odd column after the last node, as its edges carry no label.
    """
    columns = {node: 0 for node in range(inputs + nodes)}
    for node in range(inputs, inputs + nodes):
        columns[node] = 2 + max(
            columns[edge.source] for edge in edges if edge.target == node
        )
    columns[output] = max(columns.values()) + 1
    return columns


def _chains(nodes, edges, widths):
    """Puts each label into the emptiest column it may stand in."""
    load: dict[int, int] = defaultdict(int)
    free = {}
    for index, edge in enumerate(edges):
        start, end = nodes[edge.source].column, nodes[edge.target].column
        free[index] = range(start + 1, end)
    where: dict[int, int] = {}
    for index in sorted(free, key=lambda i: (len(free[i]), i)):
        if edges[index].label:
            odd = [c for c in free[index] if c % 2]
            where[index] = min(odd, key=lambda c: (load[c], -c))
            load[where[index]] += 1
    chains, labels = [], []
    for index, edge in enumerate(edges):
        label = None
        if edge.label:
            label = Item(where[index], widths[edge.label], LABEL_HEIGHT)
        middle = [
            label if label and c == label.column else Item(c, 0.0, PASS_HEIGHT)
            for c in free[index]
        ]
        chains.append([nodes[edge.source], *middle, nodes[edge.target]])
        labels.append(label)
    return chains, labels


def _layers(nodes, chains) -> list[list[Item]]:
    """Returns the items of each column, from top to bottom."""
    layers: dict[int, list[Item]] = defaultdict(list)
    for item in nodes.values():
        layers[item.column].append(item)
    for chain in chains:
        for item in chain[1:-1]:
            layers[item.column].append(item)
    return [list(reversed(layers[column])) for column in sorted(layers)]


def _set_heights(layers, chains) -> None:
    """Moves neighbours to one level, keeping order and distances in a column."""
    pulls = defaultdict(list)
    for chain in chains:
        for a, b in zip(chain, chain[1:]):
            inner = (a.node is None) + (b.node is None)
            weight = (1, 3, 8)[inner]
            pulls[id(a)].append((b, weight))
            pulls[id(b)].append((a, weight))
    for layer in layers:
        _separate(layer, [0.0] * len(layer), [1.0] * len(layer))
    for step in range(RELAXATIONS):
        for layer in layers if step % 2 else reversed(layers):
            weights = [sum(w for _, w in pulls[id(item)]) or 1e-3 for item in layer]
            wanted = [
                sum(w * o.y for o, w in pulls[id(item)]) / total
                for item, total in zip(layer, weights)
            ]
            _separate(layer, wanted, weights)


def _separate(layer, wanted, weights) -> None:
    """Sets the heights nearest to `wanted` (least squares) without overlap.

    Isotonic regression by pooling adjacent violators.
    """
    offsets = [0.0]
    for below, above in zip(layer, layer[1:]):
        distance = (below.height + above.height) / 2 + GAP_Y
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for want, offset, weight in zip(wanted, offsets, weights):
        mean, members = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, other_weight, count = pools.pop()
            total = weight + other_weight
            mean = (mean * weight + other * other_weight) / total
            weight, members = total, members + count
        pools.append((mean, weight, members))
    means = [mean for mean, _, count in pools for _ in range(count)]
    for item, mean, offset in zip(layer, means, offsets):
        item.y = mean + offset


def _ports(nodes, chains) -> list[tuple[float, float]]:
    """Spreads the edges of a node over its side, in their order."""
    ports = [[chain[0].y, chain[-1].y] for chain in chains]
    for node in nodes.values():
        for end, near in ((0, 1), (-1, -2)):
            edges = [i for i, c in enumerate(chains) if c[end] is node]
            edges.sort(key=lambda i: chains[i][near].y)
            for rank, index in enumerate(edges):
                shift = (rank - (len(edges) - 1) / 2) * PORT * 0.8
                ports[index][end] = node.y + shift
    return [(leave, enter) for leave, enter in ports]


def _set_columns(layers, chains) -> list[tuple[float, float]]:
    """Sets the columns' positions, with wider gaps where edges climb more."""
    climb = [0.0] * len(layers)
    for chain in chains:
        for a, b in zip(chain, chain[1:]):
            climb[b.column] = max(climb[b.column], abs(a.y - b.y))
    spans, right = [], 0.0
    for number, layer in enumerate(layers):
        gap = GAP_X + GAP_SLOPE * climb[number] if number else 0.0
        width = max(item.width for item in layer)
        spans.append((right + gap, right + gap + width))
        for item in layer:
            item.x = right + gap + width / 2
        right += gap + width
    return spans


def _shift_up(layers, ports) -> float:
    items = [item for layer in layers for item in layer]
    bottom = min(item.y - item.height / 2 for item in items)
    for item in items:
        item.y -= bottom
    ports[:] = [(a - bottom, b - bottom) for a, b in ports]
    return max(item.y + item.height / 2 for item in items)
