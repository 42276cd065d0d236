"""Edges that compute one of their candidates each: a supernet of a single path.

The relaxation gumbel (GDAS; Dong and Yang, CVPR 2019) gives mixing weights that
are 1 for a sampled candidate of each edge and 0 for all others. Only that
candidate is computed here, forwards and backwards: `tf.switch_case` runs one of
its branches, and gives zeros to the weights of the others.

Departure: in the authors' code the weights of candidates that were not sampled
are added to the feature map as the number 0, and so get the sum of its gradient;
here they get none, as in the paper's eq. 5.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import implementation, operations
from darts_tf.networks.cell import Edges
from darts_tf.networks.pools import POOLS
from darts_tf.networks.precision import widened
from darts_tf.space.cell import IDENTITY, NOISE, ZERO, CellSpec


class SampledEdges(Edges):
    """Computes weight * operation(x) of the largest weight on each edge of a node.

    Args:
      spec: the cell's specification.
      source: the node that the edges leave.
      channels: C, of every feature map in the cell.
      stride: 1 or 2, for all edges.
      norm: called without arguments, returns a new BatchNorm.
      key: a number of the node alone; it tells the noise of edges apart.
      normalize_pools: whether a batch norm follows each pool (DARTS), or not
        (NAS-Bench-201).
      shared_functions: those of the network, so that equal edges are traced
        once; None: each is traced.
    """

    def __init__(
        self,
        spec: CellSpec,
        source: int,
        channels: int,
        stride: int = 1,
        norm=None,
        key: int = 0,
        normalize_pools: bool = True,
        shared_functions=None,
    ):
        super().__init__()
        self.stride, self.key, self.edges = stride, key, spec.outgoing(source)
        self.names = {row: spec.candidates[row] for row, _ in self.edges}
        self.shared_functions = shared_functions
        self.sampled = {
            str(row): SampledOperation(names, channels, stride, norm, normalize_pools)
            for row, names in self.names.items()
        }
        if shared_functions is not None:
            shared_functions.layers += self.sampled.values()

    def build(self, shape) -> None:
        """Builds the operations for a node of this shape."""
        for edge in self.sampled.values():
            operations.build_once(edge, shape)

    def operation(self, row: int, name: str):
        """Returns the layer of a candidate with weights on the edge of a row."""
        return self.sampled[str(row)].layers[name]

    def call(self, x, weights, seed=None, training=False):
        """Computes one term for each edge.

        Args:
          x: the node, [B, H, W, C].
          weights: a row for each edge of the cell, of which the largest
            element decides; more elements than candidates are left out.
          seed: int32 [2], decides what noise there is (operations.noise).
          training: whether batch norm uses (and follows) the batch.

        Returns:
          (target, [term [B, H', W', C]]) for each edge.
        """
        result = []
        for place, (row, target) in enumerate(self.edges):
            key = tf.constant(self.key * 100 + place)
            edge, inputs = self.sampled[str(row)], (x, seed, key)
            mixing = (weights[row][: len(self.names[row])],)
            if self.shared_functions is None:
                term = edge(*inputs, *mixing, training=training)
            else:
                how = {"mixing": mixing, "training": training}
                term = self.shared_functions(edge.key, edge, *inputs, **how)
            result.append((target, [term]))
        return result


class SampledOperation(operations.Block):
    """Computes the candidate of one edge that has the largest weight.

    Args:
      names: the candidates.
      channels: C, of input and output.
      stride: 1 or 2.
      norm: called without arguments, returns a new BatchNorm.
      normalize_pools: whether a batch norm follows each pool.

    Attributes:
      layers: the operations with weights or statistics, by name.
      key: equal for edges that may share a trace.
    """

    def __init__(self, names, channels: int, stride: int, norm, normalize_pools: bool):
        super().__init__()
        self.names, self.stride = tuple(names), stride
        self.layers = {}
        for name in names:
            if name in POOLS:
                if normalize_pools:
                    self.layers[name] = norm()
            elif name not in (ZERO, NOISE) and (name, stride) != (IDENTITY, 1):
                self.layers[name] = operations.build(name, channels, stride, norm)
        self.key = "sampled", *names, channels, stride, normalize_pools

    def build(self, shape) -> None:
        """Builds the operations, by the shape of the node."""
        for layer in self.layers.values():
            operations.build_once(layer, shape)

    def call(self, x, seed, key, weights, training=False):
        """Computes [B, H', W', C] from the node [B, H, W, C].

        Each branch takes the node alone, whose ReLU it computes itself: for another
        input that it does not read its gradient would be a map of zeros, which
        TensorFlow folds into a constant of the graph and so never frees.

        Args:
          x: the node.
          seed, key: int32 [2] or None, and int32 []; decide the noise.
          weights: [candidates].
          training: whether batch norm uses (and follows) the batch. The
            statistics of candidates that were not computed become NaN
            (networks/running_statistics.py).
        """
        inputs = x, seed, key
        branches = [
            self._branch(name, inputs, weights[place], training)
            for place, name in enumerate(self.names)
        ]
        index = tf.argmax(weights, output_type=tf.int32)
        result, states = tf.switch_case(index, branches)
        if training and self.non_trainable_variables:
            sizes = [v.shape[0] for v in self.non_trainable_variables]
            for variable, state in zip(
                self.non_trainable_variables, tf.split(states, sizes), strict=True
            ):
                variable.assign(state)
        return result

    def _branch(self, name: str, inputs, weight, training: bool):
        """Returns a function that computes (weight * operation, all states [N])."""
        layer = self.layers.get(name)
        # Read outside of the branch: a pass over flat weights remembers slices.
        read = layer.trainable_variables if layer is not None else ()
        values = [tf.convert_to_tensor(v) for v in read]

        def compute():
            x, states = inputs[0], None
            if layer is None:
                y = self._without_weights(name, inputs)
                return tf.cast(weight * widened(y), x.dtype), self._padded(layer, None)
            y, how = self._entering(name, layer, inputs), {"training": training}
            scales = operations.is_builtin(name)  # batch norm takes it for free
            if scales:
                how["scale"] = weight * tf.ones([x.shape[-1]], weight.dtype)
            if training:
                y, states = implementation.functional_call(layer, values, y, **how)
            else:
                y = layer(y, **how)
            if not scales:
                y = tf.cast(weight * widened(y), x.dtype)
            return y, self._padded(layer, states)

        return compute

    def _entering(self, name: str, layer, inputs):
        """Returns what a layer reads: a pool of the node, its ReLU, or the node."""
        x = inputs[0]
        if name in POOLS:
            return POOLS[name](x, self.stride)
        return tf.nn.relu(x) if layer.activated else x

    def _without_weights(self, name: str, inputs):
        x, seed, key = inputs
        if name == IDENTITY:
            return x
        if name == NOISE:
            return operations.noise(x, self.stride, seed, key)
        if name in POOLS:
            return POOLS[name](x, self.stride)
        # A product, so that neither it nor its gradient is a constant of the graph.
        return 0 * x[:, :: self.stride, :: self.stride]

    def _padded(self, layer, states):
        """Returns the states of all layers [N], NaN but for those of one layer."""
        parts = [
            states if other is layer and states is not None else _unknown(other)
            for other in self.layers.values()
        ]
        return tf.concat(parts, 0) if parts else tf.zeros([0])


def _unknown(layer):
    """Returns NaN for each element of a layer's states, [N]."""
    size = sum(v.shape[0] for v in layer.non_trainable_variables)
    return tf.fill([size], float("nan"))
