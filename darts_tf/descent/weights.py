"""The weights w of a search with their optimizer's state."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.precision import Precision
from darts_tf.descent.replicas import Replicas


class WeightOptimizerState:
    """The weights w with the state of their SGD, and its steps.

    Args:
      variables: w, created in the replicas' scope.
      settings: with momentum, weight_decay and clip_norm of SGD.
      precision: of the gradients; decides whether one that overflowed is
        left out.
      replicas: where it runs.

    Attributes:
      variables, slots: w and SGD's memory.
      sgd: what moves them.
    """

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        settings,
        precision: Precision,
        replicas: Replicas,
    ):
        self.variables = variables
        self.sgd = SGD(
            settings.momentum,
            settings.weight_decay,
            settings.clip_norm,
            guarded=precision.guarded,
        )
        start = self.sgd.slots([tf.zeros(v.shape) for v in variables])
        with replicas.scope():
            self.slots = [tf.Variable(s, trainable=False) for s in start]
        self._compile(replicas)

    def _compile(self, replicas: Replicas) -> None:
        def read(variables):
            return replicas.compile(lambda: [tf.identity(v) for v in variables])

        def move(w, gradient, learning_rate):
            slots = [tf.identity(s) for s in self.slots]
            moved, slots = self.sgd.step(w, gradient, slots, learning_rate)
            replicas.assign(self.variables, moved)
            replicas.assign(self.slots, slots)
            return self.sgd.skipped(gradient)

        self.read = read(self.variables)
        self.read_slots = read(self.slots)
        self._move = replicas.compile(move)

    def move(self, w: list, gradient, learning_rate):
        """Takes a step from w, which `read` gave; `learning_rate` is a tensor.

        Returns whether the step was left out, see SGD.skipped.
        """
        return self._move(w, gradient, learning_rate)

    def groups(self) -> dict[str, Sequence[tf.Variable]]:
        """Returns all variables, for a checkpoint (descent/variables.py)."""
        return {"w": self.variables, "w_slots": self.slots}
