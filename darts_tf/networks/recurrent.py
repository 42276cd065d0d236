"""The recurrent cell, in search and derived (DARTS sect. 3.1.2, A.1.2).

Both share the skeleton: node 0 from x_t and h_{t-1}, the searched nodes, and
the mean of the output nodes. Every node i has one linear map, whatever its
predecessor, and a highway bypass: with (c, z) = s_j W_i,

    s = s_j + sigmoid(c) * (f(z) - s_j)

where f is the edge's operation. The loop over time is one graph loop.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from darts_tf.networks.operations import Block
from darts_tf.space.cell import ZERO, SearchSpace
from darts_tf.space.genotype import CellGenotype

INITIAL_RANGE = 0.04
"""All matrices start uniformly in +- this range."""

EPSILON = 1e-5
"""Added to the variance in batch norm."""

ACTIVATIONS = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "identity": lambda z: z,
}


def normalise(s):
    """Applies batch norm without parameters over the batch of [..., B, H].

    Not with tf.nn.moments: it stops the gradient of the mean inside of the
    variance, which spoils second derivatives, and so the exact method.
    """
    centred = s - tf.reduce_mean(s, -2, keepdims=True)
    variance = tf.reduce_mean(centred * centred, -2, keepdims=True)
    return centred * tf.math.rsqrt(variance + EPSILON)


class RecurrentCell(Block):
    """Base of both cells; subclasses compute the searched nodes.

    Args:
      hidden_size: H, of states and of inputs.
      nodes: number of searched nodes.
    """

    def __init__(self, hidden_size: int, nodes: int):
        super().__init__()
        self.hidden_size = self.state_size = hidden_size
        self.nodes = nodes

    def build(self, input_shape) -> None:
        """Creates the first matrix [E + H, 2H] and one [H, 2H] a node."""
        size = self.hidden_size
        wide = input_shape[-1] + size
        self.first = self._matrix(wide, "first")
        self.maps = [self._matrix(size, f"map_{i}") for i in range(self.nodes)]

    def _matrix(self, rows: int, name: str):
        start = keras.initializers.RandomUniform(-INITIAL_RANGE, INITIAL_RANGE)
        return self.add_weight((rows, 2 * self.hidden_size), start, name=name)

    def call(self, x, hidden, x_mask=1.0, h_mask=1.0, **edges):
        """Runs over all times.

        Args:
          x: [T, B, E].
          hidden: [B, H], the state before the first time.
          x_mask, h_mask: dropout masks [B, E] and [B, H], one for all times.
          **edges: what `searched_nodes` needs.

        Returns:
          (outputs [T, B, H], the last of them [B, H]).
        """
        split = x.shape[-1]
        first = tf.convert_to_tensor(self.first)
        maps = [tf.convert_to_tensor(m) for m in self.maps]
        from_x, from_h = first[:split], first[split:]
        entering = tf.tensordot(x * x_mask, from_x, 1)  # [T, B, 2H]

        def step(h, entered):
            s0 = highway(h, entered + (h * h_mask) @ from_h, tf.tanh)
            return self.searched_nodes(s0, maps, h_mask, **edges)

        return self.over_time(step, entering, hidden)

    def step(self, x, hidden):
        """Computes the state after one time, without dropout and without a loop.

        Args:
          x: [B, E].
          hidden: [B, H], the state before.

        Returns:
          [B, H]; `call` with T = 1 gives the same.
        """
        split = x.shape[-1]
        first = tf.convert_to_tensor(self.first)
        maps = [tf.convert_to_tensor(m) for m in self.maps]
        entered = x @ first[:split] + hidden @ first[split:]
        return self.searched_nodes(highway(hidden, entered, tf.tanh), maps, 1.0)

    def over_time(self, step, entering, hidden):
        """Computes h = step(h, entering[t]) for every t: (all [T, B, H], the last).

        One graph loop: its graph is that of one step, whatever T is.
        """
        length = tf.shape(entering)[0]
        # Not entering[t]: its gradient is as large as all of `entering`.
        inputs = tf.TensorArray(
            entering.dtype, length, element_shape=entering.shape[1:]
        ).unstack(entering)
        outputs = tf.TensorArray(hidden.dtype, length, element_shape=hidden.shape)

        def body(t, h, outputs):
            h = step(h, inputs.read(t))
            return t + 1, h, outputs.write(t, h)

        _, hidden, outputs = tf.while_loop(
            lambda t, *_: t < length, body, (0, hidden, outputs)
        )
        return outputs.stack(), hidden


def highway(s, mapped, activation):
    """Computes s + sigmoid(c) (f(z) - s) of s [..., H] and its map (c, z) [..., 2H]."""
    c, z = tf.split(mapped, 2, axis=-1)
    return s + tf.sigmoid(c) * (activation(z) - s)


class MixedCell(RecurrentCell):
    """The cell of the search network: every edge a mixed operation (eq. 2).

    Batch norm without parameters on node 0 and on every searched node, with
    the statistics of the batch at each time.

    Departures: the authors' code keeps running statistics for measuring, one
    pair for all nodes and times; here a search network is measured in
    batches as it is trained, so there are none.
    """

    def __init__(self, space: SearchSpace, hidden_size: int):
        (self.spec,) = space.cells
        super().__init__(hidden_size, self.spec.nodes)
        self.space = space

    def searched_nodes(self, s0, maps, mask, weights):
        """Computes the output [B, H] from s0 [B, H] and weights [edges, candidates]."""
        states = normalise(s0)[tf.newaxis]  # [nodes so far, B, H]
        for node, matrix in enumerate(maps, self.spec.inputs):
            rows = [row for row, _ in self.spec.incoming(node)]
            p = weights[rows[0] : rows[-1] + 1]
            names = self.spec.candidates[rows[0]]
            mapped = tf.tensordot(states * mask, matrix, 1)
            c, z = tf.split(mapped, 2, axis=-1)
            mixed, bypass = _mixed(p, names, z)
            # sum over k of p_k (s + c (f_k(z) - s)), the sums over k first
            bypass *= states
            s = tf.reduce_sum(bypass + tf.sigmoid(c) * (mixed - bypass), 0)
            states = tf.concat([states, normalise(s)[tf.newaxis]], 0)
        chosen = [states[node] for node in self.spec.concat]
        return tf.add_n(chosen) / len(chosen)


def _mixed(p, names, z):
    """Returns (sum of p_k f_k(z), sum of p_k), k over the non-zero candidates."""
    columns = tf.unstack(p[:, :, tf.newaxis, tf.newaxis], axis=1)
    pairs = [
        (column, ACTIVATIONS[name])
        for name, column in zip(names, columns, strict=True)
        if name != ZERO
    ]
    mixed = tf.add_n([column * f(z) for column, f in pairs])
    return mixed, tf.add_n([column for column, _ in pairs])


class DerivedCell(RecurrentCell):
    """A derived cell: one operation and one predecessor for each node."""

    def __init__(self, genotype: CellGenotype, hidden_size: int):
        super().__init__(hidden_size, len(genotype.edges))
        self.genotype = genotype

    def searched_nodes(self, s0, maps, mask):
        """Computes the mean of the output nodes, [B, H], from s0 [B, H]."""
        states = [s0]
        for (name, source), matrix in zip(self.genotype.edges, maps, strict=True):
            s = states[source]
            states.append(highway(s, (s * mask) @ matrix, ACTIVATIONS[name]))
        chosen = [states[node] for node in self.genotype.concat]
        return tf.add_n(chosen) / len(chosen)
