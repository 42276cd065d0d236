"""Words and their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data.text.vocabulary import (
    EOS,
    UNKNOWN,
    Vocabulary,
    encode,
    read_training,
)
from darts_tf.errors import InputError


def test_words_are_numbered_in_the_order_of_their_appearance():
    lines = ["b a b".split(), [], "c".split()]
    vocabulary, tokens = read_training(iter(lines))
    assert vocabulary.words == ("b", "a", EOS, "c", UNKNOWN)
    assert vocabulary.size == 5
    np.testing.assert_array_equal(tokens, [0, 1, 0, 2, 2, 3, 2])
    assert tokens.dtype == np.int32
    assert "a" in vocabulary and "z" not in vocabulary
    assert vocabulary.index("z") == vocabulary.index(UNKNOWN) == 4


def test_other_text_counts_the_words_that_it_does_not_know():
    vocabulary = Vocabulary(("a", "b", EOS, UNKNOWN))
    tokens, unknown = encode(vocabulary, [["a", "z", UNKNOWN], ["y"]])
    np.testing.assert_array_equal(tokens, [0, 3, 3, 2, 3, 2])
    assert unknown == 2 and tokens.dtype == np.int32


@pytest.mark.parametrize(
    "words, message",
    [
        (("a", "b", "a", EOS, UNKNOWN), "every word once"),
        (("a", "b", EOS), f"add {UNKNOWN}"),
        (("a", "b"), f"add {EOS}, {UNKNOWN}"),
        (("a", EOS, UNKNOWN), "at least 2 different words"),
    ],
)
def test_a_bad_vocabulary(words, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(words)


def test_rare_words_become_unknown():
    lines = ["a b c a".split(), "b a d".split()]
    vocabulary, tokens = read_training(iter(lines), minimum_count=2)
    assert vocabulary.words == ("a", "b", EOS, UNKNOWN)
    np.testing.assert_array_equal(tokens, [0, 1, 3, 0, 2, 1, 0, 3, 2])
    same, unknown = encode(vocabulary, iter(lines))
    np.testing.assert_array_equal(same, tokens)
    assert unknown == 2
