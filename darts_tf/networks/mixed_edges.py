"""Mixed operations on all edges that leave one node (eq. 2).

What search has in the place of networks/edges.py.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import ops
from darts_tf.networks.cell import add
from darts_tf.networks.convolutions import joined, phases_read
from darts_tf.networks.precision import widened
from darts_tf.networks.shared_traces import SharedTraces
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec


class MixedEdges(ops.Block):
    """Mixed operations (eq. 2) on all edges that leave one node.

    The ReLU, its phases for the dilated convolutions, the pools and their
    batch norms without parameters are equal for every target and computed
    once. The zero operation adds nothing.

    Args:
      spec: the cell's specification.
      source: the node.
      channels: C, of every feature map in the cell.
      stride: 1 or 2, for all edges.
      norm: called without arguments, returns a new BatchNorm.
      key: a number that no other node of the network has; it tells the noise
        of different edges apart.
      traces: of the network, so that equal edges are traced once; None:
        each is traced.
    """

    def __init__(
        self, spec: CellSpec, source, channels, stride, norm, key: int = 0,
        traces: SharedTraces | None = None,
    ):  # fmt: skip
        super().__init__()
        self.traces = traces
        self.stride, self.channels, self.key = stride, channels, key
        self.edges = spec.outgoing(source)
        self.names = {row: spec.candidates[row] for row, _ in self.edges}
        used = {name for names in self.names.values() for name in names}
        self.pool_norms = {
            name: norm() for name in sorted(used) if name in ops.POOLS
        }
        self.weighted = {}
        for row, names in self.names.items():
            own = [name for name in names if not self._shared(name)]
            layer = EdgeOperations(own, channels, stride, norm)
            self.weighted[str(row)] = layer

    def _own(self, place: int) -> int:
        return self.key * 100 + place

    def _shared(self, name: str) -> bool:
        identity = name == IDENTITY and self.stride == 1
        return name in (*ops.POOLS, ZERO, NOISE) or identity

    def call(self, x, weights, seed=None, training=False):
        """[B, H, W, C] and mixing weights -> terms.

        Args:
          x: the node.
          weights: the mixing weights of all edges of the cell, a tensor
            [edges, candidates] or the list of its rows.
          seed: int32 [2], decides what noise there is; see ops.noise.
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (target, list of terms [B, H', W', C]) for each edge.
        """
        shared = {
            name: widened(
                norm(ops.POOLS[name](x, self.stride), training=training)
            )
            for name, norm in self.pool_norms.items()
        }
        if self.stride == 1:
            shared[IDENTITY] = widened(x)
        activated = tf.nn.relu(x)
        phases = self._phases(activated)
        taken = _TakenApart(
            [weights[row] for row, _ in self.edges], self.channels
        )
        result = []
        for place, (row, target) in enumerate(self.edges):
            terms, scales = [], []
            for column, name in enumerate(self.names[row]):
                if name == NOISE:
                    drawn = ops.noise(x, self.stride, seed, self._own(place))
                    term = taken.scalar(place, column) * widened(drawn)
                    terms.append(tf.cast(term, x.dtype))
                elif name in shared:
                    weight = taken.scalar(place, column)
                    terms.append(tf.cast(weight * shared[name], x.dtype))
                elif name != ZERO:
                    scales.append(taken.vector(place, column))
            if scales:
                terms.append(
                    self._weighted(row, activated, phases, scales, training)
                )
            result.append((target, terms))
        return result

    def _phases(self, activated):
        """What the dilated operations read; None where they have to ask."""
        layers = self.weighted.values()
        chains = [chain for layer in layers for chain in layer.chains]
        even = self.stride == 2 or not any(n % 2 for n in activated.shape[1:3])
        if even and any(isinstance(chain, ops.Dilated) for chain in chains):
            return phases_read(activated, self.stride)
        return None

    def _weighted(self, row, activated, phases, scales, training):
        layer = self.weighted[str(row)]
        if self.traces is None or not training:
            return layer(activated, phases, scales, training=training)
        key = (*layer.names, self.stride, self.channels)
        return self.traces(key, layer, activated, phases, scales)


class EdgeOperations(ops.Block):
    """The operations with weights of one edge.

    Args:
      names: of the operations.
      channels: C, of input and output.
      stride: 1 or 2.
      norm: called without arguments, returns a new BatchNorm.
    """

    def __init__(self, names, channels: int, stride: int, norm):
        super().__init__()
        self.names, self.stride = tuple(names), stride
        self.chains = [ops.build(n, channels, stride, norm) for n in names]

    def call(self, activated, phases, scales, training=False):
        """[B, H, W, C] after ReLU -> the operations' sum [B, H', W', C].

        Args:
          activated: the node's ReLU.
          phases: its phases (convolutions.phases_read), or None.
          scales: each operation's mixing weight, once a channel: [C].
          training: whether batch norm uses (and follows) the batch.
        """
        terms, in_phases = [], []
        for chain, scale in zip(self.chains, scales, strict=True):
            given = {"scale": scale, "training": training}
            if phases is not None and isinstance(chain, ops.Dilated):
                in_phases.append(chain.in_phases(phases, **given))
            else:
                terms.append(chain(activated, **given))
        if in_phases:
            terms.append(joined(add(in_phases), self.stride))
        return add(terms)


class _TakenApart:
    """Single mixing weights, with few graph nodes and fewer gradients.

    Args:
      rows: mixing weights [candidates] of some edges.
      channels: C, the length of a vector.
    """

    def __init__(self, rows, channels: int):
        self._columns = tf.unstack(tf.stack(rows), axis=1)
        self._ones = tf.ones([1, channels], self._columns[0].dtype)
        self._scalars, self._vectors = {}, {}

    def scalar(self, place: int, column: int):
        """The weight, []."""
        if column not in self._scalars:
            self._scalars[column] = tf.unstack(self._columns[column])
        return self._scalars[column][place]

    def vector(self, place: int, column: int):
        """The weight once for each channel, [C]."""
        if column not in self._vectors:
            wide = tf.expand_dims(self._columns[column], 1) * self._ones
            self._vectors[column] = tf.unstack(wide)
        return self._vectors[column][place]
