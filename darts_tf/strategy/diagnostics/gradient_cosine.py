"""Measures how the summed gradient of alpha turns from one epoch to the next.

A search computes a gradient of alpha at every step. Where the sums of two successive
epochs point the same way (a cosine near 1), alpha is being led somewhere; where they
are unrelated (0) or opposed (-1), what one epoch says the next one takes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import snapshot
from darts_tf.strategy.darts.tasks import checkpoint_array

NAME = "gradient_cosine"
"""Of the instrument, of its scalars, and of its part of a search's state."""


class GradientCosine:
    """Sums alpha's gradients over each epoch and compares the sum with the last one.

    The sums are part of a search's state, so that a resumed search measures the
    same. In a search that is resumed with this instrument and was started without
    it, the first sum begins at the checkpoint.

    Args:
      replicas: where the search runs.

    Attributes:
      name: of its part of the search's state.
    """

    name = NAME

    def __init__(self, replicas: Replicas):
        self._replicas = replicas

    def watch(self, architecture) -> None:
        """Sees all gradients along which this architecture moves from now on."""
        self._cells = [spec.name for spec in architecture.space.cells]
        shapes = [a.shape for a in architecture.variables]
        with self._replicas.scope():
            self._sums = [tf.Variable(tf.zeros(s), trainable=False) for s in shapes]
        self._before: list[np.ndarray] = [np.zeros(s, np.float32) for s in shapes]
        self._compiled = self._replicas.compile(self._add)
        architecture.observers.append(self._compiled)

    def _add(self, gradient: Sequence) -> None:
        """Adds a gradient; one that has overflowed in 16 bits is left out."""
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradient])
        sums = [
            tf.where(finite, tf.identity(s) + g, s)
            for s, g in zip(self._sums, gradient, strict=True)
        ]
        self._replicas.assign(self._sums, sums)

    def __call__(self, search) -> dict[str, float]:
        """Returns "gradient_cosine/CELL" in [-1, 1]; starts the next epoch's sum.

        Nothing where alpha has not moved in this epoch or the one before.
        """
        del search
        present = snapshot(self._sums)
        cosines = map(cosine, self._before, present)
        record = {
            f"{NAME}/{name}": value
            for name, value in zip(self._cells, cosines, strict=True)
            if value is not None
        }
        self._before = present
        for variable in self._sums:
            variable.assign(tf.zeros_like(variable))
        return record

    def state(self) -> dict[str, np.ndarray]:
        """Returns the sums of this epoch and of the one before, by name."""
        pairs = {"sums": snapshot(self._sums), "before": self._before}
        return {
            f"{name}/{cell}": array
            for name, arrays in pairs.items()
            for cell, array in zip(self._cells, arrays, strict=True)
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Sets the state; sums are 0 where a checkpoint was written without them."""

        def stored(name: str, cell: str, like) -> np.ndarray:
            if not arrays:
                return np.zeros(like.shape, np.float32)
            return checkpoint_array(arrays, f"{name}/{cell}", like.shape)

        pairs = list(zip(self._cells, self._sums, strict=True))
        self._before = [stored("before", cell, variable) for cell, variable in pairs]
        for cell, variable in pairs:
            variable.assign(stored("sums", cell, variable))


def cosine(left: np.ndarray, right: np.ndarray) -> float | None:
    """Returns the cosine between two arrays of one shape; None if one is zero."""
    left, right = left.astype(np.float64).ravel(), right.astype(np.float64).ravel()
    lengths = np.linalg.norm(left) * np.linalg.norm(right)
    return float(left @ right / lengths) if lengths else None
