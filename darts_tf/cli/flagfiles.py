"""Checks the files of --flagfile before they are read and can follow each other."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence

from darts_tf.errors import InputError
from darts_tf.reading import expanded, read_text, reason_of

MOST = 64
"""Flagfiles that a command may read, each one counted as often as it is named."""

LARGEST = 2**20
"""Bytes of a flagfile."""


def check(arguments: Sequence[str]) -> None:
    """Refuses flagfiles that are no text files, or include each other.

    Args:
      arguments: of the command, without the program's name.

    Raises:
      InputError: names the file.
    """
    count = 0
    waiting = [(path, ()) for path in _named(arguments)]
    while waiting:
        path, including = waiting.pop()
        place = expanded(path)
        lines = _text(path, place).splitlines()
        for number, line in enumerate(lines, start=1):
            _check_line(path, number, line.strip())
        if (real := place.resolve()) in including:
            raise InputError(f"`flagfile={path}` includes itself; leave one line out")
        count += 1
        if count > MOST:
            raise InputError(
                f"flagfiles include more than {MOST} others, {path} the last of them; "
                "give fewer"
            )
        waiting += [(name, (*including, real)) for name in _named(lines)]


def _check_line(path: pathlib.Path, number: int, line: str) -> None:
    """Refuses what editors and shells allow and a flagfile takes for a value."""
    value = line.partition("=")[2]
    reason = ""
    if line.startswith("\ufeff"):
        reason = "begins with a byte order mark; save the file as UTF-8 without one"
    elif line.startswith("-") and value[:1] in ("'", '"') and value[-1:] == value[:1]:
        reason = f"has quotes around its value, {value}, which no shell takes away"
        reason += "; leave them out"
    if reason:
        raise InputError(f"`flagfile={path}`, line {number}: {reason}")


def _text(path: pathlib.Path, place: pathlib.Path) -> str:
    try:
        return read_text(place, LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"`flagfile={path}` cannot be read ({reason_of(error)}); give a text file "
            "with one flag a line"
        ) from error


def _named(lines: Sequence[str]) -> Iterator[pathlib.Path]:
    """Yields the files that --flagfile names, alone or with =."""
    lines = [line.strip() for line in lines]
    for line, following in zip(lines, [*lines[1:], ""]):
        if line == "--":
            return
        name, equals, value = line.lstrip("-").partition("=")
        if not line.startswith("-") or name != "flagfile":
            continue
        value = value if equals else following
        if value:
            yield pathlib.Path(value.strip())
