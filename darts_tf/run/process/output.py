"""Keeps a program going when its standard output or error cannot be written.

A run of days must not end because `| head -1` has read enough, a terminal is
gone or the disk of a log is full: what it prints is in its files too.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any

CLOSED = (errno.EPIPE, errno.EBADF)
"""Numbers of errors after which nobody is there to read."""


class _Tolerant(io.TextIOBase):
    """Writes to a stream until that fails, then to nowhere."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.error = stream, None

    def write(self, text: str) -> int:
        try:
            self._stream.write(text)
        except (OSError, ValueError) as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Sends what follows, the buffer's content too, to nowhere."""
        self.error = self.error or error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


def tolerate() -> None:
    """Makes standard output and error of this process never raise."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: else the next file of the run gets its number
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if isinstance(stream, _Tolerant):
            continue
        if stream is None:
            stream = open(os.dup(number), "w", encoding="utf-8")
        if hasattr(stream, "reconfigure"):  # names of files may be no UTF-8
            with contextlib.suppress(OSError):
                stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, _Tolerant(stream))


def lost() -> str | None:
    """Returns why standard output was lost, where somebody would have read it."""
    stream = sys.stdout
    if not isinstance(stream, _Tolerant):
        return None
    stream.flush()
    error = stream.error
    if error is None or getattr(error, "errno", None) in CLOSED:
        return None
    return getattr(error, "strerror", None) or str(error)
