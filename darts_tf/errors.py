"""The two errors that a user is meant to see as one line."""

from __future__ import annotations


class InputError(ValueError):
    """Refuses input of the user that cannot be used.

    The message is one line: what was given, what is allowed, how to mend it,
    in the words of arguments (`name=value`). The programs print that line in the
    words of flags and exit with code 2.
    """


class DivergedError(RuntimeError):
    """Reports a loss that is no longer a finite number.

    The message is one line and names the step. The entry points print it and
    exit with code 1; the last good checkpoint stays where it is.
    """
