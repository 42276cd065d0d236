"""Output during an import is held back, not lost."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from darts_tf.run.process.quiet_tensorflow import stderr_held_back


@contextlib.contextmanager
def outside_of_pytest():
    """sys.stderr writes to the descriptor 2 again; capfd reads that."""
    with open(2, "w", closefd=False) as stream:
        with contextlib.redirect_stderr(stream):
            yield


def shout() -> None:
    """Writes as a library in C does, and as Python does."""
    os.write(2, b"from C\n")
    print("from Python", file=sys.stderr, flush=True)


def test_quiet_while_all_is_well_and_not_afterwards(capfd):
    with outside_of_pytest(), stderr_held_back():
        shout()
    assert capfd.readouterr().err == ""
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_what_was_said_before_is_not_swallowed(capfd):
    with outside_of_pytest():
        sys.stderr.write("before")  # still in Python's buffer
        with stderr_held_back():
            shout()
    assert capfd.readouterr().err == "before"


def test_where_it_fails_all_is_shown(capfd):
    with pytest.raises(ImportError), outside_of_pytest(), stderr_held_back():
        shout()
        raise ImportError
    assert capfd.readouterr().err == "from C\nfrom Python\n"
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
