"""Makes windows of text as a pure function of (seed, step).

The text is laid in B parallel streams, and a step sees the next few words of
each. A network that carries its hidden state from step to step so reads every
stream from left to right. As with batches of images, the window of step s is
the same whether the data set was started at step 0 or at s.

A window that is `fresh` begins its streams anew: a hidden state of an earlier
window does not belong to it and must be set to zero.

Departures:
- Half windows: in the authors' code each window is, by chance, a half one
  with probability HALF_SHARE, and in a training (not in a search) a normal
  deviate of 5 words is added to its length. Here n windows of an epoch hold
  exactly round(HALF_SHARE n) half ones, in places that change from epoch to
  epoch, and nothing is added; so every epoch has the same number of steps, and
  steps have two shapes only.
- Every training epoch begins at the left ends of the streams; what is left
  over at their right ends, less than a window, is left out.
- Validation windows of a search have one length. In the authors' code they
  may shrink to one word at the right ends, and the hidden state is carried
  from there to the left ends.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.data.images.batches import MAX_SEED, check_range, prefetched_map
from darts_tf.errors import InputError

HALF_SHARE = 0.05  # of an epoch's windows


def batchify(tokens: np.ndarray, batch_size: int) -> np.ndarray:
    """Lays a text in parallel streams.

    Args:
      tokens: integers [N].
      batch_size: B.

    Returns:
      int32 [B, R], R = floor(N / B) tokens a stream: stream b is tokens b R
      to (b + 1) R - 1. The last N - B R tokens are left out.

    Raises:
      InputError: the batch is empty, or R is less than 2.
    """
    length = _stream_length(len(tokens), batch_size)
    streams = np.asarray(tokens[: batch_size * length], np.int32)
    return streams.reshape(batch_size, length)


def steps_per_epoch(tokens_count: int, batch_size: int, bptt: int) -> int:
    """Returns n, the windows of a training epoch: as many as fit in a stream.

    Args:
      tokens_count: N, of the text.
      batch_size: B, streams.
      bptt: T, words of a window that is not a half one.

    Raises:
      InputError: the batch is empty or larger than the text allows, or the
        window is empty or longer than a stream.
    """
    room = _room(tokens_count, batch_size, bptt)
    if bptt > room:
        raise InputError(
            f"`bptt={bptt}`: a window of {bptt} words is longer than a stream, which "
            f"has {room} to predict: {tokens_count} tokens in batches of "
            f"{batch_size}; give a smaller `batch_size` or `bptt`"
        )
    # The words of n windows rise with n, and are at least n.
    numbers = range(room + 1)
    return bisect_right(numbers, room, key=lambda n: _words(n, bptt)) - 1


def training_windows(
    tokens: np.ndarray,
    *,
    batch_size: int,
    bptt: int,
    seed: int,
    start_step: int,
) -> tf.data.Dataset:
    """Makes endless windows from `start_step` on, epoch after epoch.

    Args:
      tokens: integers [N].
      batch_size: B, streams.
      bptt: words of a window; a half one has max(1, floor(bptt / 2)).
      seed: 0 to 2**31 - 1; decides the places of half windows.
      start_step: how many steps are done already.

    Returns:
      elements (inputs int32 [B, T], targets int32 [B, T], fresh bool []):
      targets are the words after the inputs; fresh is True for the first
      window of an epoch. Windows of an epoch follow each other in the
      streams of `batchify`, without gap or overlap.

    Raises:
      InputError: as in `steps_per_epoch`, or seed or step out of range.
    """
    count = steps_per_epoch(len(tokens), batch_size, bptt)
    check_range("seed", seed, MAX_SEED)
    check_range("start_step", start_step, tf.int64.max - 1)
    streams = _on_host(batchify(tokens, batch_size))
    missing = bptt - _half(bptt)  # words, of a half window

    def window(step):
        epoch, place = step // count, step % count
        halves = tf.cast(_half_places(count, seed, epoch), tf.int64)
        before = tf.math.count_nonzero(halves < place)
        here = tf.math.count_nonzero(halves == place)  # 0 or 1
        start = place * bptt - before * missing
        return _window(streams, start, bptt - here * missing, place == 0)

    return prefetched_map(_steps(start_step), window)


def validation_windows(
    tokens: np.ndarray, *, batch_size: int, bptt: int, start_step: int
) -> tf.data.Dataset:
    """Makes endless windows of one length, in order, then from the left again.

    Args:
      tokens: integers [N].
      batch_size: B, streams of R tokens.
      bptt: words of a window; T = min(bptt, R - 1).
      start_step: how many steps are done already.

    Returns:
      elements (inputs int32 [B, T], targets int32 [B, T], fresh bool []), as
      in `training_windows`; fresh is True at the left ends of the streams.

    Raises:
      InputError: the batch is empty or larger than the text allows, or the
        window is empty, or the step out of range.
    """
    room = _room(len(tokens), batch_size, bptt)
    check_range("start_step", start_step, tf.int64.max - 1)
    streams = _on_host(batchify(tokens, batch_size))
    length = min(bptt, room)
    count = room // length

    def window(step):
        place = step % count
        return _window(streams, place * length, length, place == 0)

    return prefetched_map(_steps(start_step), window)


def ordered_windows(
    tokens: np.ndarray, *, batch_size: int, bptt: int
) -> tf.data.Dataset:
    """Makes one pass: every word of a stream but the first is a target once.

    Args:
      tokens: integers [N].
      batch_size: B, streams of R tokens; with 1, N - 1 words are targets.
      bptt: words of a window, at most; the last one may be shorter.

    Returns:
      elements (inputs int32 [B, T], targets int32 [B, T], fresh bool []), as
      in `training_windows`; fresh is True for the first one.

    Raises:
      InputError: the batch is empty or larger than the text allows, or the
        window is empty.
    """
    room = _room(len(tokens), batch_size, bptt)
    streams = _on_host(batchify(tokens, batch_size))

    def window(start):
        length = tf.minimum(room - start, bptt)
        return _window(streams, start, length, start == 0)

    return prefetched_map(tf.data.Dataset.range(0, room, bptt), window)


def _stream_length(tokens_count: int, batch_size: int) -> int:
    """Returns R, the tokens of each of `batch_size` streams."""
    if batch_size < 1:
        raise InputError(f"`batch_size` must be at least 1; received {batch_size}")
    if tokens_count < 2 * batch_size:
        raise InputError(
            f"`batch_size={batch_size}` needs at least {2 * batch_size} tokens, "
            f"2 a stream; the text has {tokens_count}; give a smaller "
            "`batch_size` or a longer text"
        )
    return tokens_count // batch_size


def _room(tokens_count: int, batch_size: int, bptt: int) -> int:
    """Returns R - 1, the words of a stream that can be inputs or targets."""
    if bptt < 1:
        raise InputError(f"`bptt` must be at least 1 word; received {bptt}")
    return _stream_length(tokens_count, batch_size) - 1


def _halves(count: int) -> int:
    """Returns the number of half windows among an epoch's `count` windows."""
    return round(HALF_SHARE * count)


def _half(bptt: int) -> int:
    return max(1, bptt // 2)


def _words(count: int, bptt: int) -> int:
    """Returns the words of `count` windows together, in one stream."""
    return count * bptt - _halves(count) * (bptt - _half(bptt))


def _half_places(count: int, seed: int, epoch) -> tf.Tensor:
    """Returns the half windows of an epoch, int32 [_halves(count)].

    They are those that draw the largest numbers: index_shuffle, which orders images,
    is not uniform enough for a few places out of many.
    """
    key = tf.stack([tf.constant(seed, tf.int64), epoch])
    whole: Any = None  # the whole range of int32, which TensorFlow's types lack
    draws = tf.random.stateless_uniform(
        [count], key, whole, whole, tf.int32, alg="philox"
    )
    return tf.math.top_k(draws, _halves(count)).indices


def _on_host(streams: np.ndarray) -> tf.Tensor:
    """Makes a tensor that a Dataset captures instead of holding in its graph."""
    with tf.device("CPU:0"):
        return tf.constant(streams)


def _steps(start_step: int) -> tf.data.Dataset:
    return tf.data.Dataset.range(start_step, tf.int64.max)


def _window(streams: tf.Tensor, start, length, fresh):
    """Cuts (inputs [B, T], targets [B, T], fresh []) out of streams, T = length."""
    words = tf.slice(streams, [0, start], [streams.shape[0], length + 1])
    return words[:, :-1], words[:, 1:], fresh
