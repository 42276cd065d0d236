"""Layers that compute all edges which leave one node of a derived cell.

The one thing that differs between search (networks/compiled/mixed_edges.py) and
evaluation. Both return, for each edge, the terms whose sum enters the edge's
target (eq. 1); the cell adds the terms of all its predecessors at once.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Edges, activated
from darts_tf.networks.drop_path import dropped
from darts_tf.networks.pools import POOLS
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec
from darts_tf.space.genotype import CellGenotype


class DiscreteEdges(Edges):
    """One operation on each edge that leaves one node of a derived cell.

    Args:
      edges: (target, operation) of each edge.
      channels: C, of every feature map in the cell.
      stride: 1 or 2, for all edges.
      key: a number that no other node of the network has; it tells the noise
        of different edges apart.
      before: number of edges with drop path of the cell's nodes before.

    Attributes:
      droppable: number of edges with drop path: of all but the identity and
        the zero operation.
    """

    def __init__(self, edges, channels: int, stride: int, key: int, before: int = 0):
        super().__init__()
        self.stride, self.key, self.before = stride, key, before
        self.edges = list(edges)
        self.operations = [
            None
            if name in (ZERO, NOISE, *POOLS) or self._is_node(name)
            else operations.build(name, channels, stride, lambda: BatchNorm(True))
            for _, name in self.edges
        ]
        self.droppable = sum(self._droppable(name) for _, name in self.edges)

    def _droppable(self, name: str) -> bool:
        return name != ZERO and not self._is_node(name)

    def _is_node(self, name: str) -> bool:
        return name == IDENTITY and self.stride == 1

    def build(self, shape) -> None:
        """Builds the operations, by the shape of the node."""
        for operation in self.operations:
            if operation is not None:
                operations.build_once(operation, shape)

    def call(self, x, drop_path=None, seed=None, training=False):
        """Computes (target, [term [B, H', W', C]]) of each edge from [B, H, W, C].

        Args:
          x: the node.
          drop_path: drop_path.scales of the cell's edges, or None.
          seed: int32 [2], decides the noise (operations.noise).
          training: whether batch statistics are used.

        The zero operation gives zeros, for a node may have nothing else.
        """
        active = activated(x)
        scales, result = iter((drop_path or [])[self.before :]), []
        pairs = zip(self.edges, self.operations, strict=True)
        for index, ((target, name), operation) in enumerate(pairs):
            if name == NOISE:
                y = operations.noise(x, self.stride, seed, self.key * 100 + index)
            elif name in POOLS:
                y = POOLS[name](x, self.stride)
            elif name == ZERO:
                y = tf.zeros_like(x[:, :: self.stride, :: self.stride])
            elif operation is None:
                y = x
            else:
                y = operation(active if operation.activated else x, training=training)
            if drop_path is not None and self._droppable(name):
                y = dropped(y, next(scales))
            result.append((target, [y]))
        return result


def discrete_units(
    spec: CellSpec,
    cell: CellGenotype,
    channels: int,
    input_stride: int,
    layer: int,
):
    """Returns the edges of a derived cell: for each node a DiscreteEdges or None.

    Args:
      spec: the cell's specification.
      cell: what was derived.
      channels: C, of every feature map in the cell.
      input_stride: of the edges that leave the cell's inputs.
      layer: the cell's place in the network.
    """
    targets = spec.entered(len(cell.edges))
    leaving = {source: [] for source in range(targets[-1])}
    for target, (name, source) in zip(targets, cell.edges):
        leaving[source].append((target, name))
    units, before = [], 0
    for source, edges in leaving.items():
        stride = input_stride if source < spec.inputs else 1
        key = layer * 100 + source
        unit = None
        if edges:
            unit = DiscreteEdges(edges, channels, stride, key, before)
            before += unit.droppable
        units.append(unit)
    return units
