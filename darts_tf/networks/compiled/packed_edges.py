"""Mixed operations whose convolutions are computed as one.

The convolutions of one size on the edges that leave a node read the same
ReLU: they are one convolution with C channels for each edge, behind it one
batch norm, whose scale carries the mixing weights. Four fifths of a search
step in NAS-Bench-201 are such convolutions and batch norms.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.cell import Edges, add
from darts_tf.networks.compiled.weighted_sum import as_map, as_rows, mixtures
from darts_tf.networks.pools import POOLS
from darts_tf.networks.precision import wide
from darts_tf.space.cell import IDENTITY, ZERO, CellSpec


class PackedEdges(Edges):
    """Mixed operations (eq. 2) on all edges that leave one node.

    Pools have no batch norm behind them, unlike those of networks/discrete_edges.py.

    Args:
      spec: the cell's specification, with the same candidates on every edge.
      source: the node.
      channels: C, of every feature map in the cell.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      convolutions: by name a Chain; its kernel is [kh, kw, C, T * C], the
        last axis in the order of the T edges.

    Raises:
      InputError: edges with different candidates, or a registered operation.
    """

    def __init__(self, spec: CellSpec, source: int, channels: int, norm):
        super().__init__()
        if len(set(spec.candidates)) != 1:
            raise InputError(
                f"cell '{spec.name}': packed edges need the same candidates "
                f"on every edge"
            )
        registered = [n for n in spec.candidates[0] if not operations.is_builtin(n)]
        if registered:
            raise InputError(
                f"cell '{spec.name}': registered operations such as "
                f"{registered[0]!r} cannot be packed; search them in a space made by "
                f"`cell_space`"
            )
        self.edges, self.channels = spec.outgoing(source), channels
        self.names = spec.candidates[0]
        wide = channels * len(self.edges)
        self.convolutions = {
            name: operations.build(name, wide, 1, norm)
            for name in self.names
            if name not in (ZERO, IDENTITY, *POOLS)
        }

    def build(self, shape) -> None:
        """Builds the convolutions, by the shape of the node."""
        for convolution in self.convolutions.values():
            operations.build_once(convolution, shape)

    def call(self, x, weights, training=False):
        """Computes the terms of each edge from [B, H, W, C] and mixing weights.

        Args:
          x: the node.
          weights: the mixing weights of all edges of the cell, a tensor
            [edges, candidates] or the list of its rows.
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (target, list of terms [B, H, W, C]) for each edge.
        """
        rows = tf.stack([weights[row] for row, _ in self.edges])
        columns = dict(zip(self.names, tf.unstack(rows, axis=1)))  # each [T]
        terms = [[term] for term in self._convolved(x, columns, training)]
        shared = {
            name: x if name == IDENTITY else POOLS[name](x, 1)
            for name in self.names
            if name not in (ZERO, *self.convolutions)
        }
        names = [self.names] * len(self.edges)
        maps = as_rows(list(shared.values()))
        mixed = mixtures(rows, names, shared, maps)
        for edge_terms, row in zip(terms, mixed, strict=True):
            if row is not None:
                edge_terms.append(as_map(row, x))
        targets = [target for _, target in self.edges]
        return list(zip(targets, terms, strict=True))

    def _convolved(self, x, columns, training):
        """Computes the sum over all convolutions, [B, H, W, C] for each edge."""
        activated = tf.nn.relu(x)
        ones = tf.ones([1, self.channels], wide(x.dtype))
        packed = []
        for name, convolution in self.convolutions.items():
            scale = tf.reshape(columns[name][:, tf.newaxis] * ones, [-1])
            packed.append(convolution(activated, scale=scale, training=training))
        return tf.split(add(packed), len(self.edges), axis=-1)
