"""The streams that a text is laid in, and the number of their windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.data.text.windows import batchify, steps_per_epoch
from darts_tf.errors import InputError

FEW = settings(max_examples=50, deadline=None)


def text(count):
    """Tokens that are their own places in the text."""
    return np.arange(count, dtype=np.int32)


def test_streams_are_consecutive_pieces_of_the_text():
    streams = batchify(np.arange(11, dtype=np.int64), 3)
    expected = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    np.testing.assert_array_equal(streams, expected)
    assert streams.dtype == np.int32


@FEW
@given(count=st.integers(2, 60), batch_size=st.integers(1, 12))
def test_streams_leave_out_less_than_a_batch(count, batch_size):
    if count < 2 * batch_size:
        with pytest.raises(InputError, match=f"the text has {count}"):
            batchify(text(count), batch_size)
        return
    streams = batchify(text(count), batch_size)
    assert streams.shape[0] == batch_size
    assert 0 <= count - streams.size < batch_size
    np.testing.assert_array_equal(streams.ravel(), text(streams.size))


@pytest.mark.parametrize(
    "stream, bptt, count",
    [
        (5, 4, 1),  # one window and the last target
        (8, 4, 1),
        (9, 4, 2),
        (4 * 10 + 1, 4, 10),  # round(0.5) is 0: no half one yet
        (4 * 11 + 1 - 2, 4, 11),  # one half one
        (4 * 11 + 1 - 3, 4, 10),
        (36 * 100 + 1 - 5 * 18, 36, 100),
        (36 * 100 - 5 * 18, 36, 99),
        (35 * 20 + 1 - 18, 35, 20),  # half of 35 is 17
        (8, 1, 7),  # a window of one word cannot be halved
    ],
)
def test_steps_of_an_epoch(stream, bptt, count):
    for batch_size in (1, 3):
        tokens = stream * batch_size + batch_size - 1
        assert steps_per_epoch(tokens, batch_size, bptt) == count


@FEW
@given(
    stream=st.integers(2, 3000),
    batch_size=st.integers(1, 5),
    bptt=st.integers(1, 40),
)
def test_one_window_more_would_not_fit(stream, batch_size, bptt):
    def words(count):
        halves = round(0.05 * count)
        return (count - halves) * bptt + halves * max(1, bptt // 2)

    tokens = stream * batch_size
    if bptt > stream - 1:
        with pytest.raises(InputError, match="longer than a stream"):
            steps_per_epoch(tokens, batch_size, bptt)
        return
    count = steps_per_epoch(tokens, batch_size, bptt)
    assert words(count) <= stream - 1 < words(count + 1)
