"""The mixed operation (DARTS eq. 2) on the edges of a search cell: the reference.

networks/compiled/mixed_edges.py and packed_edges.py compute the same faster.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.cell import Edges, add
from darts_tf.networks.pools import POOLS
from darts_tf.networks.precision import widened
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec


class MixedEdges(Edges):
    """Sums weight * operation(x) over the candidates of each edge.

    Args:
      spec: the cell's specification.
      source: the node that the edges leave.
      channels: C, of every feature map in the cell.
      stride: 1 or 2, for all edges.
      norm: called without arguments, returns a new BatchNorm.
      key: a number of the node alone; it tells the noise of edges apart.
      normalize_pools: whether a batch norm follows each pool (DARTS), or
        not (NAS-Bench-201).
    """

    def __init__(
        self,
        spec: CellSpec,
        source: int,
        channels: int,
        stride: int,
        norm,
        key: int = 0,
        normalize_pools: bool = True,
    ):
        super().__init__()
        self.stride, self.key, self.edges = stride, key, spec.outgoing(source)
        self.names = {row: spec.candidates[row] for row, _ in self.edges}
        self.layers = {
            f"{row}/{name}": operations.build(name, channels, stride, norm)
            for row, names in self.names.items()
            for name in names
            if name not in (ZERO, NOISE, *POOLS) and not self._is_node(name)
        }
        pooled = {n for names in self.names.values() for n in names} & set(POOLS)
        self.norms = {n: norm() for n in sorted(pooled) if normalize_pools}

    def _is_node(self, name: str) -> bool:
        return name == IDENTITY and self.stride == 1

    def build(self, shape) -> None:
        """Builds the operations for a node of this shape."""
        for layer in (*self.norms.values(), *self.layers.values()):
            operations.build_once(layer, shape)

    def operation(self, row: int, name: str):
        """Returns the layer of a candidate with weights on the edge of a row."""
        return self.layers[f"{row}/{name}"]

    def call(self, x, weights, seed=None, training=False):
        """Computes sum_o p_o o(x) for each edge (eq. 2).

        Args:
          x: the node, [B, H, W, C].
          weights: the mixing weights p of all edges of the cell, [edges,
            candidates].
          seed: int32 [2], decides what noise there is (operations.noise).
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (target, [term [B, H', W', C]]) for each edge.
        """
        result = []
        for place, (row, target) in enumerate(self.edges):
            terms = [
                tf.cast(p * widened(y), x.dtype)
                for p, name in zip(tf.unstack(weights[row]), self.names[row])
                if (y := self._operation(name, row, place, x, seed, training))
                is not None
            ]
            result.append((target, [add(terms)] if terms else []))
        return result

    def _operation(self, name: str, row: int, place: int, x, seed, training):
        """Computes o(x), or returns None for the zero operation."""
        if name == ZERO:
            return None
        if name == NOISE:
            return operations.noise(x, self.stride, seed, self.key * 100 + place)
        if name in POOLS:
            y = POOLS[name](x, self.stride)
            return self.norms[name](y, training=training) if self.norms else y
        if self._is_node(name):
            return x
        layer = self.operation(row, name)
        return layer(tf.nn.relu(x) if layer.activated else x, training=training)
