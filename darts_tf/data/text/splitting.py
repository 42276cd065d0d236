"""Splits a line of text into words: the one definition, of training and of exports."""

from __future__ import annotations

BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""The characters between words: all that Unicode calls white space, and the four
separators of ASCII."""

LINE_ENDS = "\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
"""Those of them that some programs take for ends of lines; here only \\n is one."""


def split_words(line: str) -> list[str]:
    """Returns the words of a line; upper and lower case and all else stay."""
    return line.split()
