"""The skeleton of a cell, shared by all spaces, by search and evaluation.

The inputs are brought to the cell's size and width, every node sums the
terms that its predecessors' edges give (eq. 1), and the output nodes are
concatenated. What brings the inputs there and what computes the edges
(networks/edges.py) is injected.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import ops


class Cell(ops.Block):
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

    def call(self, inputs, training=False, **edge_arguments):
        """A list of [B, H', W', C'] -> [B, H, W, concat * C]."""
        states = [
            x if layer is None else layer(tf.nn.relu(x), training=training)
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
            for target, more in leaving:
                terms[target] += more
        states.append(self.join(terms[first - 1 + self.nodes]))
        output = [states[node] for node in self.concat]
        return output[0] if len(output) == 1 else tf.concat(output, axis=-1)


def add(terms):
    """Sum of a list of tensors of one shape."""
    return terms[0] if len(terms) == 1 else tf.add_n(terms)
