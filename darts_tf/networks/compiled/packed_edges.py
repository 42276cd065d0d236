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
      spec: the cell's specification.
      source: the node.
      channels: C, of every feature map in the cell.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      names: the candidates of each of the node's edges.
      convolutions: by name a Chain; its kernel is [kh, kw, C, T * C], the
        last axis in the order of the T edges that have it.
      users: by name of a convolution the places of these T edges.

    Raises:
      InputError: a registered operation.
    """

    def __init__(self, spec: CellSpec, source: int, channels: int, norm):
        super().__init__()
        self.edges, self.channels = spec.outgoing(source), channels
        self.names = [spec.candidates[row] for row, _ in self.edges]
        used = dict.fromkeys(name for names in self.names for name in names)
        registered = [name for name in used if not operations.is_builtin(name)]
        if registered:
            raise InputError(
                f"cell '{spec.name}': registered operations such as "
                f"{registered[0]!r} cannot be packed; search them in a space made by "
                f"`cell_space`"
            )
        self.users = {
            name: tuple(i for i, names in enumerate(self.names) if name in names)
            for name in used
            if name not in (ZERO, IDENTITY, *POOLS)
        }
        self.convolutions = {
            name: operations.build(name, channels * len(places), 1, norm)
            for name, places in self.users.items()
        }
        self.maps = [n for n in used if n not in (ZERO, *self.convolutions)]

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
        terms = self._convolved(x, rows, training)
        shared = [x if name == IDENTITY else POOLS[name](x, 1) for name in self.maps]
        mixed = mixtures(rows, self.names, self.maps, as_rows(shared))
        for edge_terms, row in zip(terms, mixed, strict=True):
            if row is not None:
                edge_terms.append(as_map(row, x))
        targets = [target for _, target in self.edges]
        return list(zip(targets, terms, strict=True))

    def _convolved(self, x, rows, training):
        """Computes sums of convolutions, a list of [B, H, W, C] for each edge.

        Those that the same edges have are summed before they are split.
        """
        activated = tf.nn.relu(x)
        ones = tf.ones([1, self.channels], wide(x.dtype))
        columns = tf.unstack(rows, axis=1)  # each [edges]
        packed: dict[tuple[int, ...], list] = {}
        for name, convolution in self.convolutions.items():
            scale = self._weights_of(name, columns)[:, tf.newaxis] * ones
            scale = tf.reshape(scale, [-1])
            y = convolution(activated, scale=scale, training=training)
            packed.setdefault(self.users[name], []).append(y)
        terms: list[list] = [[] for _ in self.edges]
        for places, sums in packed.items():
            parts = tf.split(add(sums), len(places), axis=-1)
            for place, part in zip(places, parts, strict=True):
                terms[place].append(part)
        return terms

    def _weights_of(self, name: str, columns):
        """Returns the mixing weights [T] of a convolution on the edges that have it."""
        places = self.users[name]
        numbers = [self.names[place].index(name) for place in places]
        if len(places) == len(self.edges) and len({*numbers}) == 1:
            return columns[numbers[0]]
        pairs = zip(places, numbers, strict=True)
        return tf.stack([columns[number][place] for place, number in pairs])
