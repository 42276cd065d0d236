"""Means of the steps' scalars since the last report.

Steps provide tensors that may not be computed yet. They become numbers only
when they are needed, so that a step does not wait for the one before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import SupportsFloat

import numpy as np

from darts_tf.errors import DivergedError


class RunningMeans:
    """Collects scalars by name, in the order of the steps."""

    def __init__(self) -> None:
        self._fresh: list[tuple[int, Mapping[str, SupportsFloat]]] = []
        self._values: dict[str, list[float]] = {}

    def add(self, step: int, scalars: Mapping[str, SupportsFloat]) -> None:
        """Adds the scalars of step number `step` without waiting for them."""
        self._fresh.append((step, scalars))

    def settle(self) -> None:
        """Turns all scalars into numbers; waits for the steps that compute them.

        Raises DivergedError with the first step at which a value whose name
        ends in "loss" is not finite.
        """
        for step, scalars in self._fresh:
            for name, value in scalars.items():
                number = float(value)
                if name.endswith("loss") and not math.isfinite(number):
                    raise DivergedError(f"{name} is {number} at step {step}")
                self._values.setdefault(name, []).append(number)
        self._fresh.clear()

    def means(self) -> dict[str, float]:
        """Returns the mean of each name over the steps that provided it."""
        return {
            name: math.fsum(values) / len(values)
            for name, values in self._values.items()
        }

    @property
    def steps(self) -> int:
        """Returns the number of settled steps since the last report."""
        return max(map(len, self._values.values()), default=0)

    def clear(self) -> None:
        """Forgets all values."""
        self._fresh.clear()
        self._values.clear()

    def state(self) -> dict[str, np.ndarray]:
        """Returns the values as numbers, float64 [steps] by name."""
        return {
            name: np.array(values, np.float64) for name, values in self._values.items()
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores what `state` returned."""
        self.clear()
        self._values = {n: a.tolist() for n, a in arrays.items()}
