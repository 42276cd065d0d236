"""The skeleton of a cell, with edges that are easy to follow."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.cell import Cell, Edges


class Scaled(Edges):
    """Edges that multiply by a number each."""

    def __init__(self, edges):
        super().__init__()
        self.edges = edges

    def call(self, x, training=False):
        return [(target, [factor * x]) for target, factor in self.edges]


class Times7(operations.Block):
    """Brings an input in."""

    def compute_output_shape(self, shape):
        return shape

    def call(self, x, training=False):
        return 7 * x


def test_nodes_are_sums_and_outputs_are_concatenated():
    units = [Scaled([(2, 1.0), (3, 2.0)]), Scaled([(2, 3.0)]), Scaled([(3, 5.0)])]
    cell = Cell(units, 2, (3, 2), [None, None])
    a, b = tf.fill((1, 1, 1, 1), 1.0), tf.fill((1, 1, 1, 1), 10.0)
    out = cell([a, b])
    np.testing.assert_allclose(out[0, 0, 0], [2 + 5 * 31, 31])


def test_one_input_is_brought_in_as_its_relu():
    cell = Cell([Scaled([(1, 3.0)])], 1, (1,), [Times7()])
    for value, wanted in ((2.0, 42.0), (-2.0, 0.0)):
        out = cell([tf.fill((1, 1, 1, 1), value)])
        np.testing.assert_allclose(out[0, 0, 0], [wanted])
