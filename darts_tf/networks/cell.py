"""The cell of eq. 1, shared by all spaces, by search and evaluation.

The inputs are brought to the cell's size and width, every node sums the
terms that its predecessors' edges give (eq. 1), and the output nodes are
concatenated. What brings the inputs there and what computes the edges
(networks/discrete_edges.py) is injected.
"""

from __future__ import annotations

import functools
import operator

import tensorflow as tf

from darts_tf.networks import implementation, operations
from darts_tf.networks.convolutions import strided


class Edges(operations.Block):
    """Base of the layers that compute all edges which leave one node.

    Attributes:
      stride: 1 or 2, of all of them.
    """

    stride = 1

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of each edge's terms, from the shape of the node."""
        return strided(shape, self.stride)


class Cell(operations.Block):
    """A cell around the layers that compute its edges.

    Args:
      units: for each node in turn, the layer that computes all edges that
        leave it, or None where none does.
      nodes: number of intermediate nodes.
      concat: the nodes that form the output.
      inputs: for each input, the layer that brings its ReLU to the cell's
        size and width, or None where the input is taken as it is.
      join: makes a node of the list of its terms; None: their sum.
    """

    def __init__(self, units, nodes, concat, inputs, join=None):
        super().__init__()
        self.join = join or add
        self.units, self.inputs_to_states = list(units), list(inputs)
        self.nodes, self.concat = nodes, tuple(concat)

    def build(self, shapes) -> None:
        """Builds its layers, by the list of its inputs' shapes."""
        for layer, shape in zip(self.inputs_to_states, shapes, strict=True):
            if layer is not None:
                operations.build_once(layer, shape)
        entering, inside = self._node_shapes(shapes)
        for node, unit in enumerate(self.units):
            if unit is not None:
                node_shape = entering if node < len(shapes) else inside
                operations.build_once(unit, node_shape)

    def compute_output_shape(self, shapes) -> tuple:
        """Returns the shape of the output, from the list of its inputs' shapes."""
        *batch_and_size, channels = self._node_shapes(shapes)[1]
        return *batch_and_size, len(self.concat) * channels

    def _node_shapes(self, shapes) -> tuple:
        """Returns (shape of the input nodes, shape of the intermediate nodes)."""
        layer, shape = self.inputs_to_states[0], shapes[0]
        if layer is not None:
            shape = layer.compute_output_shape(shape)
        leaving = [unit for unit in self.units[: len(shapes)] if unit]
        return shape, leaving[0].compute_output_shape(shape)

    def call(self, inputs, training=False, **edge_arguments):
        """Computes [B, H, W, concat * C] from a list of inputs [B, H', W', C']."""
        states = [
            x if layer is None else layer(activated(x), training=training)
            for layer, x in zip(self.inputs_to_states, inputs, strict=True)
        ]
        first = len(states)
        terms = {node: [] for node in range(first, first + self.nodes)}
        for node, unit in enumerate(self.units):
            if node >= first:
                states.append(self.join(terms[node]))
            if unit is None:
                continue
            leaving = unit(states[node], training=training, **edge_arguments)
            for target, edge_terms in leaving:
                terms[target] += edge_terms
        states.append(self.join(terms[first - 1 + self.nodes]))
        output = [states[node] for node in self.concat]
        return output[0] if len(output) == 1 else tf.concat(output, axis=-1)


def activated(x):
    """Returns the ReLU of a feature map [B, H, W, C].

    In an export of the largest of each 1 x 1 window, which changes nothing. LiteRT's
    converter joins a ReLU with what is before it, and repeats a matrix product where
    something else needs it too; a pool comes between. And in 8 bits LiteRT accelerates
    (XNNPACK) the ReLU of a pool, but not one by itself.
    """
    if implementation.is_exported():
        x = tf.nn.max_pool2d(x, 1, 1, "VALID")
    return tf.nn.relu(x)


def add(terms):
    """Returns the sum of a list of tensors of one shape.

    In an export pair by pair: LiteRT computes sums of two, but not ADD_N, among
    the operations that are accelerated together (XNNPACK).
    """
    if len(terms) == 1 or implementation.is_exported():
        return functools.reduce(operator.add, terms)
    return tf.add_n(terms)
