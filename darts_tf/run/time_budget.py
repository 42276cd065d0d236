"""Keeps extra work, such as drawing, to a small part of a run's time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class TimeBudget:
    """A budget that grows with the time.

    Args:
      share: the part of the time since now that may be spent.
      seconds: what may be spent beyond it, so that short runs are served too.
    """

    def __init__(self, share: float, seconds: float):
        self._share, self._seconds = share, seconds
        self._start, self._spent = time.monotonic(), 0.0

    @property
    def left(self) -> bool:
        """Returns True while less has been spent than may be."""
        allowed = self._seconds + self._share * (time.monotonic() - self._start)
        return self._spent < allowed

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """Counts the time of a block."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._spent += time.monotonic() - start
