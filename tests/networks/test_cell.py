"""The skeleton of a cell, with edges that are easy to follow."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from darts_tf.networks import ops
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Cell


class Scaled(ops.Block):
    """Edges that multiply by a number each."""

    def __init__(self, edges):
        super().__init__()
        self.edges = edges

    def call(self, x, training=False):
        return [(target, [factor * x]) for target, factor in self.edges]


def test_nodes_are_sums_and_outputs_are_concatenated():
    norm = functools.partial(BatchNorm, False)
    units = [Scaled([(2, 1.0), (3, 2.0)]), Scaled([(2, 3.0)]),
             Scaled([(3, 5.0)])]
    cell = Cell(units, 2, (3, 2), 1, False, norm)
    cell.first = cell.second = lambda x, training: x
    a, b = tf.fill((1, 1, 1, 1), 1.0), tf.fill((1, 1, 1, 1), 10.0)
    out = cell(a, b)
    np.testing.assert_allclose(out[0, 0, 0], [2 + 5 * 31, 31])
