"""A set of text: its test part is read when it is asked for, not before."""

from __future__ import annotations

import numpy as np

from darts_tf.data.text.dataset import TextData
from darts_tf.data.text.vocabulary import EOS, UNKNOWN, Vocabulary


def test_the_test_part_is_read_on_demand():
    read = []

    def test_part():
        read.append(True)
        return np.array([1, 2], np.int32), 3

    vocabulary = Vocabulary(("a", "b", EOS, UNKNOWN))
    words = np.arange(1000, dtype=np.int32) % 2
    data = TextData("own", vocabulary, words, words, {"valid": 0}, test_part)
    assert not read
    tokens, unknown = data.load_test()
    assert list(tokens) == [1, 2] and unknown == 3 and read
    # Neither words nor numbers fill an error's message.
    assert len(repr(data)) < 90
