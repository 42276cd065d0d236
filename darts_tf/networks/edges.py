"""What computes all edges that leave one node of a derived cell.

The one thing that differs between search (networks/mixed_edges.py) and
evaluation. Both return, for each edge, the terms whose sum enters the edge's
target (eq. 1); the cell adds the terms of all its predecessors at once.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import ops
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Edges
from darts_tf.networks.precision import wide, widened
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec
from darts_tf.space.genotype import CellGenotype


class DiscreteEdges(Edges):
    """One operation on each edge that leaves one node of a derived cell.

    Args:
      edges: (target, operation) of each edge.
      channels: C, of every feature map in the cell.
      stride: 1 or 2, for all edges.
      key: a number that no other node of the network has; it tells the drop
        path masks, and the noise, of different edges apart.
    """

    def __init__(self, edges, channels: int, stride: int, key: int):
        super().__init__()
        self.stride, self.key = stride, key
        self.edges = list(edges)
        self.operations = [
            None
            if name in (ZERO, NOISE, *ops.POOLS)
            or (name == IDENTITY and stride == 1)
            else ops.build(name, channels, stride, lambda: BatchNorm(True))
            for _, name in self.edges
        ]

    def build(self, shape) -> None:
        """Builds the operations, by the shape of the node."""
        for operation in self.operations:
            if operation is not None:
                ops.build_once(operation, shape)

    def call(self, x, drop_path=None, seed=None, training=False):
        """[B, H, W, C] -> (target, [term [B, H', W', C]]) for each edge.

        Args:
          x: the node.
          drop_path: probability (a scalar tensor) with which a sample's edge
            is dropped, or None; the identity is never dropped.
          seed: int32 [2], decides the masks and the noise (ops.noise).
          training: whether batch statistics are used.

        The zero operation gives zeros, for a node may have nothing else.
        """
        activated = tf.nn.relu(x)
        result = []
        for index, (target, name) in enumerate(self.edges):
            own = self.key * 100 + index
            if name == NOISE:
                y = ops.noise(x, self.stride, seed, own)
            elif name in ops.POOLS:
                y = ops.POOLS[name](x, self.stride)
            elif name == ZERO:
                y = tf.zeros_like(x[:, :: self.stride, :: self.stride])
            elif self.operations[index] is None:
                y = x
            else:
                y = self.operations[index](activated, training=training)
            if drop_path is not None and y is not x and name != ZERO:
                y = drop(y, drop_path, ops.fold_in(seed, own))
            result.append((target, [y]))
        return result


def discrete_units(
    spec: CellSpec, cell: CellGenotype, channels: int, input_stride: int,
    layer: int,
):  # fmt: skip
    """The edges of a derived cell: for each node a DiscreteEdges or None.

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
    return [
        DiscreteEdges(
            edges,
            channels,
            input_stride if source < spec.inputs else 1,
            key=layer * 100 + source,
        )
        if edges
        else None
        for source, edges in leaving.items()
    ]


def drop(y, probability, seed):
    """Drop path: zeroes whole samples of [B, H, W, C], rescales the rest.

    Each sample is kept with probability 1 - p and divided by it, so that
    the expectation stays (Larsson et al. 2017; DARTS sect. A.3).
    """
    dtype = wide(y.dtype)
    keep = 1.0 - tf.cast(probability, dtype)
    noise = tf.random.stateless_uniform(
        [tf.shape(y)[0], 1, 1, 1], seed, dtype=dtype
    )
    # One pass over the feature map, and no gradient of the probability.
    scale = tf.stop_gradient(tf.floor(noise + keep) / keep)
    return tf.cast(widened(y) * scale, y.dtype)
