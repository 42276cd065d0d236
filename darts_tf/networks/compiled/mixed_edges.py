"""Mixed operations on all edges that leave one node (eq. 2), the fast ones.

networks/mixed_edges.py is the plain reference.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.cell import Edges, add
from darts_tf.networks.compiled.shared_functions import SharedFunctions
from darts_tf.networks.compiled.weighted_sum import as_map, as_rows, mixtures
from darts_tf.networks.convolutions import joined, phases_read
from darts_tf.networks.pools import POOLS
from darts_tf.networks.precision import widened
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec


class MixedEdges(Edges):
    """Mixed operations (eq. 2) on all edges that leave one node.

    The ReLU, its phases for operations that skip pixels, the pools and their
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
      shared_functions: those of the network, so that equal edges are traced
        once; None: each is traced.
    """

    def __init__(
        self,
        spec: CellSpec,
        source,
        channels,
        stride,
        norm,
        key: int = 0,
        shared_functions: SharedFunctions | None = None,
    ):
        super().__init__()
        self.shared_functions = shared_functions
        self.stride, self.channels, self.key = stride, channels, key
        self.edges = spec.outgoing(source)
        self.names = {row: spec.candidates[row] for row, _ in self.edges}
        used = {name for names in self.names.values() for name in names}
        pools = sorted(used & set(POOLS))
        weighted = {}
        for row, names in self.names.items():
            columns = {
                name: column
                for column, name in enumerate(names)
                if operations.is_builtin(name) and not self._shared(name)
            }
            layer = EdgeOperations(columns, channels, stride, norm)
            weighted[str(row)] = layer
        skipping = any(layer.skipping for layer in weighted.values())
        identity = stride == 1 and IDENTITY in used
        self.common = NodeOperations(pools, identity, channels, stride, skipping, norm)
        self.weighted = weighted
        self.registered = {
            f"{row}/{name}": operations.build(name, channels, stride, norm)
            for row, names in self.names.items()
            for name in names
            if not operations.is_builtin(name)
        }
        if shared_functions is not None:
            shared_functions.layers += [self.common, *self.weighted.values()]

    def build(self, shape) -> None:
        """Builds the operations that edges share, then those of each edge."""
        layers = self.common, *self.weighted.values(), *self.registered.values()
        for layer in layers:
            operations.build_once(layer, shape)

    def _noise_key(self, place: int) -> int:
        return self.key * 100 + place

    def _shared(self, name: str) -> bool:
        identity = name == IDENTITY and self.stride == 1
        return name in (*POOLS, ZERO, NOISE) or identity

    def operation(self, row: int, name: str):
        """Returns the layer of a candidate with weights on the edge of a row."""
        if not operations.is_builtin(name):
            return self.registered[f"{row}/{name}"]
        edge = self.weighted[str(row)]
        return edge.chains[edge.names.index(name)]

    def call(self, x, weights, seed=None, training=False):
        """Computes the terms of each edge from [B, H, W, C] and mixing weights.

        Args:
          x: the node.
          weights: the mixing weights of all edges of the cell, a tensor
            [edges, candidates] or the list of its rows.
          seed: int32 [2], decides the noise; see operations.noise.
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (target, list of terms [B, H', W', C]) for each edge.
        """
        pooled = [POOLS[n](x, self.stride) for n in self.common.norms]
        activated, phases, maps = self._traced(self.common, training, x, pooled)
        rows = tf.stack([weights[row] for row in self.names])
        names = list(self.names.values())
        mixed = mixtures(rows, names, self.common.maps, maps)
        result = []
        for place, (row, target) in enumerate(self.edges):
            layer, shared, terms = self.weighted[str(row)], mixed[place], []
            if NOISE in self.names[row]:
                drawn = operations.noise(x, self.stride, seed, self._noise_key(place))
                weight = weights[row][self.names[row].index(NOISE)]
                terms.append(tf.cast(weight * widened(drawn), x.dtype))
            terms += [
                tf.cast(weight * widened(y), x.dtype)
                for weight, y in self._of_users(x, row, weights[row], training)
            ]
            if layer.chains:
                inputs = activated, phases, shared
                mixing = (weights[row],)
                terms.append(self._traced(layer, training, *inputs, mixing=mixing))
            elif shared is not None:
                like = pooled[0] if pooled else x
                terms.append(as_map(shared, like))
            result.append((target, terms))
        return result

    def _of_users(self, x, row: int, weights, training):
        """Returns (weight, result) of each registered operation; none is shared."""
        return [
            (weights[column], self.registered[f"{row}/{name}"](x, training=training))
            for column, name in enumerate(self.names[row])
            if not operations.is_builtin(name)
        ]

    def _traced(self, layer, training, *inputs, mixing=()):
        if self.shared_functions is None:
            return layer(*inputs, *mixing, training=training)
        how = {"mixing": mixing, "training": training}
        return self.shared_functions(layer.key, layer, *inputs, **how)


class NodeOperations(operations.Block):
    """Computes what all edges that leave a node share, but for its pools.

    Those are inputs: oneDNN computes the gradient of a max pool, four times as
    fast as TensorFlow's own, only in the graph that holds the pool itself, and
    this may be a function with a graph of its own.

    Args:
      pools: their names.
      identity: True if an edge may take the node as it is.
      channels: C, of input and output.
      stride: 1 or 2.
      skipping: True if operations of its edges skip pixels.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      norms: those behind the pools, by name.
      maps: names of the candidates that are equal on all edges.
      key: equal for nodes that may share a trace.
    """

    def __init__(
        self, pools, identity: bool, channels: int, stride: int, skipping, norm
    ):
        super().__init__()
        self.stride, self.skipping = stride, skipping
        self.norms = {name: norm() for name in pools}
        self.maps = [*pools, IDENTITY] if identity else [*pools]
        self.key = "node", *self.maps, channels, stride, skipping

    def build(self, shape) -> None:
        """Builds the batch norms, by the shape of the node."""
        for norm in self.norms.values():
            operations.build_once(norm, shape)

    def call(self, x, pooled, training=False):
        """Computes the node's ReLU, its phases for operations that skip, its maps.

        Args:
          x: [B, H, W, C].
          pooled: each pool of it, [B, H', W', C].
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (ReLU [B, H, W, C]; its convolutions.phases_read, or None if nobody
          reads them; `maps` as rows (weighted_sum.as_rows), pools normalised,
          or None if there are none).
        """
        maps = [
            norm(pool, training=training)
            for pool, norm in zip(pooled, self.norms.values(), strict=True)
        ]
        if IDENTITY in self.maps:
            maps.append(x)
        activated = tf.nn.relu(x)
        even = self.stride == 2 or not any(n % 2 for n in x.shape[1:3])
        read = even and self.skipping
        phases = phases_read(activated, self.stride) if read else None
        return activated, phases, as_rows(maps)


class EdgeOperations(operations.Block):
    """Computes the operations with weights of one edge.

    Args:
      columns: the column of the mixing weights of each operation, by name.
      channels: C, of input and output.
      stride: 1 or 2.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      skipping: True if one of them skips pixels.
      key: equal for edges that may share a trace.
    """

    def __init__(self, columns: dict[str, int], channels, stride, norm):
        super().__init__()
        self.names, self.columns = tuple(columns), tuple(columns.values())
        self.channels, self.stride = channels, stride
        self.chains = [operations.build(n, channels, stride, norm) for n in columns]
        self.skipping = any(isinstance(c, operations.SKIPPING) for c in self.chains)
        self.key = "edge", *columns.items(), channels, stride

    def build(self, shape) -> None:
        """Builds the operations, by the shape of the node."""
        for chain in self.chains:
            operations.build_once(chain, shape)

    def call(self, activated, phases, shared, weights, training=False):
        """Computes the mixed sum [B, H', W', C] of [B, H, W, C] after ReLU.

        Args:
          activated: the node's ReLU.
          phases: its phases (convolutions.phases_read), or None.
          shared: what the edge takes of the node's maps, a row to be added,
            or None.
          weights: the edge's mixing weights [candidates].
          training: whether batch norm uses (and follows) the batch.
        """
        ones = tf.ones([1, self.channels], weights.dtype)
        scales = tf.unstack(tf.expand_dims(weights, 1) * ones)
        terms, in_phases = [], []
        for chain, column in zip(self.chains, self.columns, strict=True):
            options = {"scale": scales[column], "training": training}
            if phases is not None and isinstance(chain, operations.SKIPPING):
                in_phases.append(chain.in_phases(phases, **options))
            else:
                terms.append(chain(activated, **options))
        if in_phases:
            terms.append(joined(add(in_phases), self.stride))
        if shared is not None:
            terms.append(as_map(shared, terms[0]))
        return add(terms)
