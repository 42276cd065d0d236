"""A child whose parent is gone is told to stop, as by SIGTERM.

A parent that is killed at once, for want of memory say, can hand no signal
on. Its children would go on, and the same command, started again, would find
their folders in use. So each child has the reading end of a pipe whose other
end is the parent's alone; the kernel closes that one with the parent.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping

from darts_tf.run.loop.stopping import StopRequest

VARIABLE = "DARTS_TF_PARENT"
"""The environment's name of the reading end's number."""

SAVING_SECONDS = 600.0
"""How long a child of the next start waits for one that is still saving."""

_watching = threading.Event()


class Line:
    """A parent's: while it lives and does not close this, children go on."""

    def __init__(self) -> None:
        self.reading, self._own = os.pipe()

    def environment(self, usual: Mapping[str, str]) -> dict[str, str]:
        """Of a child, which must inherit `reading` too."""
        return {**usual, VARIABLE: str(self.reading)}

    def close(self) -> None:
        """Children that still run are told to stop."""
        os.close(self._own)
        os.close(self.reading)


def watch_parent() -> None:
    """In a child: stops with the parent. Elsewhere nothing."""
    number = os.environ.pop(VARIABLE, "")
    if number.isdecimal():
        _watching.set()
        threading.Thread(target=_wait, args=(int(number),), daemon=True).start()


def seconds_to_wait() -> float:
    """For a folder that is in use: an orphan may be saving, if anyone."""
    return SAVING_SECONDS if _watching.is_set() else 0.0


def _wait(reading: int) -> None:
    try:
        gone = not os.read(reading, 1)
    except OSError:  # no pipe of ours
        return
    if gone and not StopRequest.noted():
        os.kill(os.getpid(), signal.SIGTERM)
