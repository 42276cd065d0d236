"""Averages the running statistics of a network in training, as one tensor.

A pass over flat weights leaves its batch's means and variances as one vector
[N] (networks/compiled/functional_call.py). They are averaged here all at once:
a variable for each of some hundreds of them was a tenth of a training step's
graph.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks.batch_norm import MOMENTUM


class RunningStatistics:
    """The running statistics of a model; its own variables stay as they are.

    Args:
      model: a built keras.Model, created in the replicas' scope.
      replicas: where it runs (descent/replicas.py).

    In a network of a single path (networks/sampled_edges.py) the statistics of
    operations that were not computed are NaN, and stay as they were.

    Attributes:
      row: the variable [N], in the order of model.non_trainable_variables.
      shapes: the shape of each variable's part.
    """

    def __init__(self, model, replicas):
        self._variables = [v.value for v in model.non_trainable_variables]
        self.shapes = [tuple(v.shape) for v in self._variables]
        self._replicas = replicas
        self._single_path = getattr(model, "single_path", False)
        with replicas.scope():
            self.row = tf.Variable(self._present(), trainable=False)

    def _present(self):
        return tf.concat([tf.convert_to_tensor(v) for v in self._variables], 0)

    def start(self) -> None:
        """Starts from the present values of the model's variables."""
        self.row.assign(self._present())

    def follow(self, seen) -> None:
        """Moves towards a batch's statistics [N]; call inside of a replica."""
        (seen,) = self._replicas.mean([seen])
        if self._single_path:
            seen = tf.where(tf.math.is_nan(seen), self.row, seen)
        running = MOMENTUM * self.row + (1 - MOMENTUM) * seen
        self._replicas.assign([self.row], [running])

    def parts(self) -> list:
        """Returns the statistics as `Model.stateless_call` takes them."""
        return tf.split(tf.identity(self.row), [n for (n,) in self.shapes])
