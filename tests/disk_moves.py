"""Counts what a part of the program does on the disk, and steps in at one of these.

Moves are: a file opened to write, half of its content written, a file forced to the
disk, renamed or removed, a folder made or removed. Before and after each of them
something may happen: a kill (tests/kills.py), or an error (tests/test_writers.py).
Only what Python itself does is seen, and not what TensorFlow writes.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

ALL = ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync", "open", "write")
REFUSED = {
    "ENOSPC": ("open", "write", "fsync", "mkdir", "replace", "rename"),
    "EDQUOT": ("open", "write", "fsync", "mkdir", "replace", "rename"),
    "EMFILE": ("open",),
    "EFBIG": ("write",),
    "EROFS": ALL,
    "EIO": ALL,
    "ESTALE": ALL,
}
"""The moves that a disk refuses, by the name of the error."""


def refuse(error: str, move: str) -> None:
    """Raises the error, as the system does, if this is a move that it refuses."""
    number = getattr(errno, error)
    if move in REFUSED[error]:
        raise OSError(number, os.strerror(number))


RENAMES = ("replace", "rename", "unlink", "mkdir", "rmdir", "fsync")


class Moves:
    """Calls a function before and after each move below a folder.

    Args:
      folder: whose files are meant.
      step_in: called with the move's name and True before it, False after it.
    """

    def __init__(self, folder: str, step_in: Callable[[str, bool], None]) -> None:
        self._folder, self._step_in = folder, step_in
        self._descriptors: set[int] = set()

    @contextlib.contextmanager
    def seen(self) -> Iterator[None]:
        """Sees the moves of this process inside of the block."""
        before = [(os, name, getattr(os, name)) for name in (*RENAMES, "open")]
        before += [(builtins, "open", builtins.open), (io, "open", io.open)]
        for name in RENAMES:
            setattr(os, name, self._around(getattr(os, name)))
        self._open, os.open = os.open, self._opened
        builtins.open = io.open = self._file(builtins.open)
        try:
            yield
        finally:
            for module, name, function in before:
                setattr(module, name, function)

    def _concerns(self, path: object) -> bool:
        if isinstance(path, int):
            return path in self._descriptors
        return str(path).startswith(self._folder)

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments, **named):
            name = function.__name__
            here = name == "fsync" or self._concerns(arguments[0])
            if here:
                self._step_in(name, True)
            result = function(*arguments, **named)
            if here:
                self._step_in(name, False)
            return result

        return wrapper

    def _opened(self, path, flags, *arguments, **named) -> int:
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR)) and self._concerns(path)
        if writes:
            self._step_in("open", True)
        descriptor = self._open(path, flags, *arguments, **named)
        self._descriptors.discard(descriptor)
        if writes:
            self._descriptors.add(descriptor)
            self._step_in("open", False)
        return descriptor

    def _file(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(file, mode="r", *arguments, **named):
            simple = "b" in mode and not arguments and not named
            if not (simple and {*mode} & {*"wa+"} and self._concerns(file)):
                return plain(file, mode, *arguments, **named)
            if not isinstance(file, int):
                self._step_in("open", True)
            raw = _HalfWriter(self._step_in, file, mode.replace("b", ""))
            return (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)

        return wrapper


class _HalfWriter(io.FileIO):
    """Writes in halves, with a move before each."""

    def __init__(self, step_in: Callable[[str, bool], None], file, mode: str) -> None:
        super().__init__(file, mode)
        self._step_in, self._second = step_in, False

    def write(self, content) -> int:
        """Writes the first half, or the rest."""
        self._step_in("write", True)
        view = memoryview(content).cast("B")
        size = len(view) if self._second else max(1, len(view) // 2)
        self._second = not self._second
        return super().write(view[:size])
