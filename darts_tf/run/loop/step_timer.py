"""Measures a run's wall time over all its starts and the speed of its steps."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np


class StepTimer:
    """Times steps from the second one on; the first one compiles.

    Work between steps (epochs' ends, checkpoints) is left out too. The wall
    time of the run counts from the creation of this object.

    Attributes:
      first_step: seconds from the start to the first finished step, of the
        first start that saved it; NaN before.
    """

    def __init__(self) -> None:
        self.first_step = math.nan
        self._start = time.monotonic()
        self._before = 0.0  # seconds of earlier starts
        self._steps, self._seconds = 0, 0.0
        self._mark: float | None = None  # None until the first step is done

    @property
    def seconds(self) -> float:
        """Returns the wall seconds of all starts together."""
        return self._before + time.monotonic() - self._start

    @property
    def times_steps(self) -> bool:
        """Returns True once the first step is over."""
        return self._mark is not None

    def end_first_step(self) -> None:
        """Marks the end of the first step, which compiled."""
        self._mark = time.monotonic()
        if math.isnan(self.first_step):
            self.first_step = self._mark - self._start

    def add_step(self) -> None:
        """Counts a started step, which may not be finished."""
        self._steps += 1

    def lap(self) -> None:
        """Adds the time since the last mark to the steps' time; all are finished."""
        if self._mark is not None:
            before, self._mark = self._mark, time.monotonic()
            self._seconds += self._mark - before

    def skip(self) -> None:
        """Leaves the time since the last mark out of the steps' time."""
        self._mark = time.monotonic()

    def speed(self) -> float | None:
        """Returns steps a second since the last call, or None without a timed step."""
        steps, seconds = self._steps, self._seconds
        self._steps, self._seconds = 0, 0.0
        return steps / max(seconds, 1e-9) if steps else None

    def state(self) -> dict[str, np.ndarray]:
        """Returns the times that a checkpoint holds."""
        return {
            "seconds": np.asarray(self.seconds),
            "first_step_seconds": np.asarray(self.first_step),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continues from what `state` returned; ignores other names."""
        self._before = float(arrays.get("seconds", 0.0))
        self.first_step = float(arrays.get("first_step_seconds", math.nan))
