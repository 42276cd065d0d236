"""The weights of a network as one tensor.

A supernet has some 1,400 weights, most of them small. As one row [N] they
are one argument of each compiled function, one update, one sum over the
replicas and one array of a checkpoint, in the place of 1,400.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf


class WeightRow:
    """Packs the trainable weights of a built model, and takes them apart.

    Args:
      model: a built keras.Model.
    """

    def __init__(self, model):
        self._variables = model.trainable_variables
        self._shapes = [tuple(v.shape) for v in self._variables]
        self._sizes = [math.prod(shape) for shape in self._shapes]

    def packed(self):
        """The model's own present weights in a row, [N]."""
        values = [tf.convert_to_tensor(v.value) for v in self._variables]
        return tf.concat([tf.reshape(v, [-1]) for v in values], 0)

    def taken_apart(self, row) -> list:
        """The weights in a row [N], as `Model.stateless_call` takes them."""
        parts = tf.split(row, self._sizes)
        # Few shapes, each a constant once: half of the nodes.
        shapes = {s: tf.constant(s, tf.int32) for s in set(self._shapes)}
        return [tf.reshape(p, shapes[s]) for p, s in zip(parts, self._shapes)]

    def loss(self, of_list: Callable) -> Callable:
        """loss([row], ...) from a loss of the list of weights."""

        def of_row(w, *others):
            return of_list(self.taken_apart(w[0]), *others)

        return of_row
