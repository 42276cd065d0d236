"""Messages are short, printable and one line."""

from __future__ import annotations

import pickle

import pytest

from darts_tf.errors import LONGEST, DivergedError, InputError, shorten


@pytest.mark.parametrize("kind", [InputError, DivergedError])
def test_a_message_is_short_and_keeps_its_start_and_end(kind):
    error = kind(f"`genotype={'x' * 100_000}` is none; give another")
    assert len(str(error)) == LONGEST
    assert str(error).startswith("`genotype=xxx") and " ... " in str(error)
    assert str(error).endswith("is none; give another")


@pytest.mark.parametrize("letter", ["\x1b", "\0", "\x7f", "\x9b", "\u202e", "\udcff"])
def test_what_a_terminal_would_obey_is_escaped(letter):
    assert str(InputError(f"a{letter}b")).isprintable()
    assert str(InputError(f"a{letter}b"))[1] == "\\"


def test_line_ends_become_blanks_and_a_message_is_escaped_once():
    first = InputError("one\n  two \x1b")
    assert str(first) == "one two \\x1b"
    assert str(InputError(f"x: {first}")) == "x: one two \\x1b"


@pytest.mark.parametrize("length", [0, 1, 299, 300, 301, 1199, 1201, 5000])
def test_every_length(length):
    assert len(shorten("x" * length)) == min(length, LONGEST)
    assert len(shorten("\x1b" * length)) <= LONGEST


def test_they_are_no_errors_that_others_expect():
    assert not issubclass(InputError, (ValueError, RuntimeError, OSError))
    assert str(pickle.loads(pickle.dumps(InputError("a")))) == "a"
