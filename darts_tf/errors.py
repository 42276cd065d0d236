"""The two errors that a user is meant to see as one line, and what they say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LONGEST = 300
"""Characters of a message, which names the user's values and a remedy."""

_GAP = " ... "
_LINE_ENDS = re.compile(r"[ \t]*[\r\n]+[ \t]*")


def shorten(text: str, limit: int = LONGEST) -> str:
    r"""Returns text for one line of a message: printable, at most `limit` characters.

    Line ends become blanks; other characters that a terminal would obey or not
    show (ESC, halves of surrogate pairs) become escapes like \x1b. Where the text is
    too long its middle is left out: what was given stands at the start, the remedy
    at the end.
    """
    if len(text) > 4 * limit:  # escaping would take long, and show no more
        text = text[: 2 * limit] + text[-2 * limit :]
    if not text.isprintable():
        text = _LINE_ENDS.sub(" ", text.strip())
        text = "".join(map(_printable, text))
    if len(text) <= limit:
        return text
    end = max(0, (limit - len(_GAP)) // 2)
    start = max(0, limit - len(_GAP) - end)
    return text[:start] + _GAP + text[len(text) - end :]


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def closest(name: object, names: Iterable[str]) -> str:
    """Returns " (did you mean X?)" where one of `names` is like `name`, else ""."""
    plain = {each.casefold(): each for each in names}
    near = difflib.get_close_matches(str(name)[:LONGEST].casefold(), list(plain), n=1)
    return f" (did you mean {plain[near[0]]}?)" if near else ""


class _OneLine(Exception):
    """Holds one line that `shorten` has made safe to show."""

    def __init__(self, message: object = "") -> None:
        super().__init__(shorten(str(message)))


class InputError(_OneLine):
    """Refuses input of the user that cannot be used.

    The message is one line: what was given, what is allowed, how to mend it,
    in the words of arguments (`name=value`). The programs print that line in the
    words of flags and exit with code 2. It is no ValueError, so that code that
    expects those of a library does not catch it by accident.
    """


class DivergedError(_OneLine):
    """Reports a loss that is no longer a finite number.

    The message is one line and names the step. The entry points print it and
    exit with code 1; the last good checkpoint stays where it is.
    """


def require_bool(name: str, value: object) -> None:
    """Raises InputError unless the argument `name` is True or False."""
    if not isinstance(value, bool):
        raise InputError(f"`{name}` must be True or False; received {value!r}")
