from __future__ import annotations

import sys

from darts_tf.data.text.splitting import BLANKS, LINE_ENDS, split_words


def test_the_blanks_are_those_at_which_words_end():
    every = "".join(
        chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000
    )
    assert BLANKS == "".join(letter for letter in every if letter.isspace())
    assert len(BLANKS) == 29
    for letter in BLANKS:
        assert split_words(f"a{letter}b") == ["a", "b"]
    rest = every.translate(dict.fromkeys(map(ord, BLANKS)))
    assert split_words(rest) == [rest]


def test_the_ends_of_lines_are_blanks():
    assert set(LINE_ENDS) < set(BLANKS)
    assert all(len(f"a{end}b".splitlines()) == 2 for end in LINE_ENDS)
