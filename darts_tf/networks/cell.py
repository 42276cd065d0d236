"""The skeleton of a cell, shared by search and evaluation.

Two inputs are brought to the cell's size and width, every node sums the
terms that its predecessors' edges give (eq. 1), and the output nodes are
concatenated. What computes the edges is injected (networks/edges.py).
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
      channels: C of every node.
      after_reduction: whether the cell before the previous one halved the
        size, so that the first input has to be halved here.
      norm: called without arguments, returns a new BatchNorm.
    """

    def __init__(self, units, nodes, concat, channels, after_reduction, norm):
        super().__init__()
        self.units = list(units)
        self.nodes, self.concat = nodes, tuple(concat)
        self.first = (
            ops.FactorizedReduce(channels, norm)
            if after_reduction
            else ops.conv_norm(channels, norm)
        )
        self.second = ops.conv_norm(channels, norm)

    def call(self, s0, s1, training=False, **edge_arguments):
        """[B, H0, W0, C0], [B, H1, W1, C1] -> [B, H, W, concat * C]."""
        states = [
            self.first(tf.nn.relu(s0), training=training),
            self.second(tf.nn.relu(s1), training=training),
        ]
        terms = {node: [] for node in range(2, 2 + self.nodes)}
        for node, unit in enumerate(self.units):
            if node >= 2:
                states.append(add(terms[node]))
            if unit is None:
                continue
            leaving = unit(states[node], training=training, **edge_arguments)
            for target, more in leaving:
                terms[target] += more
        states.append(add(terms[1 + self.nodes]))
        return tf.concat([states[node] for node in self.concat], axis=-1)


def add(terms):
    """Sum of a list of tensors of one shape."""
    return terms[0] if len(terms) == 1 else tf.add_n(terms)
