"""Wall time of a run over all its starts, and the speed of its steps."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np


class Clock:
    """Runs from its creation on; steps are timed after the first one.

    That one compiles. Nor is what lies between steps (epochs' ends,
    checkpoints) time of the steps.

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
        """Of all starts together."""
        return self._before + time.monotonic() - self._start

    @property
    def times_steps(self) -> bool:
        """Whether the first step is over."""
        return self._mark is not None

    def end_first_step(self) -> None:
        """The step that compiled is finished."""
        self.skip()
        if math.isnan(self.first_step):
            self.first_step = self._mark - self._start

    def add_step(self) -> None:
        """One more step was started; it may not be finished."""
        self._steps += 1

    def lap(self) -> None:
        """All steps added so far are finished."""
        if self._mark is not None:
            before = self._mark
            self.skip()
            self._seconds += self._mark - before

    def skip(self) -> None:
        """What was done since the last lap was no step."""
        self._mark = time.monotonic()

    def speed(self) -> float | None:
        """Steps a second since the last call; None without a timed step."""
        steps, seconds = self._steps, self._seconds
        self._steps, self._seconds = 0, 0.0
        return steps / max(seconds, 1e-9) if steps else None

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps."""
        return {
            "seconds": np.float64(self.seconds),
            "first_step_seconds": np.float64(self.first_step),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Goes on from what `state` gave; other names are passed over."""
        self._before = float(arrays.get("seconds", 0.0))
        self.first_step = float(arrays.get("first_step_seconds", math.nan))
