"""Stops a child process, as by SIGTERM, when its parent has gone.

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
"""The environment variable with the number of the pipe's reading end."""

SAVING_SECONDS = 600.0
"""The longest wait of the next start's child for one that is still saving."""

_watching = threading.Event()


class ParentPipe:
    """The parent's pipe: closing it, or the parent's end, stops the children."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def environment(self, usual: Mapping[str, str]) -> dict[str, str]:
        """Returns the environment of a child, which must inherit `reading` too."""
        return {**usual, VARIABLE: str(self.reading)}

    def close(self) -> None:
        """Closes the pipe, which stops the children that still run."""
        os.close(self._writing)
        os.close(self.reading)


def watch_parent() -> None:
    """Starts watching the parent, if this process is a child of `Parent`."""
    number = os.environ.pop(VARIABLE, "")
    if number.isdecimal():
        _watching.set()
        threading.Thread(target=_wait, args=(int(number),), daemon=True).start()


def seconds_to_wait() -> float:
    """Returns the wait, in seconds, for a folder that an orphan may be saving."""
    return SAVING_SECONDS if _watching.is_set() else 0.0


def _wait(reading: int) -> None:
    try:
        gone = not os.read(reading, 1)
    except OSError:  # not a pipe
        return
    if gone and not StopRequest.noted():
        os.kill(os.getpid(), signal.SIGTERM)
