"""The two errors that a user is meant to see as one line."""

from __future__ import annotations


class InputError(ValueError):
    """What a user gave cannot be used.

    The message is one line: what was given, what is allowed, how to mend it.
    The entry points print that line and exit with code 2.
    """


class DivergedError(RuntimeError):
    """A loss is no longer a finite number.

    The message is one line and names the step. The entry points print it and
    exit with code 1; the last good checkpoint stays where it is.
    """
