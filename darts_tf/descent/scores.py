"""Measures accuracy and cross-entropy over replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas


def correct(logits, labels, first: int = 1):
    """Counts the labels [B] that are among the `first` largest logits [B, K].

    Of equal largest logits the first is the answer; with `first` above 1 all
    that equal the last of them count.

    Returns:
      float32 [].
    """
    if first == 1:
        hits = tf.equal(tf.argmax(logits, -1, labels.dtype), labels)
    else:
        hits = tf.math.in_top_k(labels, logits, first)
    return tf.reduce_sum(tf.cast(hits, tf.float32))


def compile_share(replicas: Replicas) -> Callable:
    """Compiles (logits [B, K], labels [B]) -> share of correct answers, []."""

    def share(logits, labels):
        count = tf.cast(tf.shape(labels)[0], tf.float32)
        return replicas.mean([correct(logits, labels) / count])[0]

    return replicas.compile(share)


def accuracy(count: Callable, batches: Iterable, replicas: Replicas) -> float:
    """Returns the share of correct answers over all `batches`.

    Args:
      count: compiled batch -> number of correct answers, on each replica.
      batches: (images, labels), the last may be smaller.
      replicas: where it runs.
    """
    hits = total = 0
    for batch in batches:
        hits += int(replicas.sum(count(batch)))
        total += replicas.batch_size(batch)
    return hits / total


def confusion(logits, labels):
    """Counts images by label (rows) and answer (columns), int32 [K, K].

    Args:
      logits: [B, K]; of equal largest ones the first is the answer.
      labels: [B].
    """
    classes = logits.shape[-1]
    places = tf.cast(labels, tf.int32) * classes + tf.argmax(logits, -1, tf.int32)
    counts = tf.math.unsorted_segment_sum(
        tf.ones_like(places), places, classes * classes
    )
    return tf.reshape(counts, (classes, classes))


def confusions(count: Callable, batches: Iterable, replicas: Replicas) -> np.ndarray:
    """Returns the sum of `confusion` over all `batches`, int64 [K, K].

    Args:
      count: compiled batch -> counts [K, K], on each replica.
      batches: (images, labels), the last may be smaller.
      replicas: where it runs.
    """
    counts = [np.asarray(replicas.sum(count(batch))) for batch in batches]
    return np.add.reduce(counts, axis=0, dtype=np.int64)


def nats(logits, targets):
    """Sums the cross-entropy over all words, logits [T, B, V], in nats."""
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    return tf.reduce_sum(entropy(targets, logits))


def cross_entropy(
    run: Callable, windows: Iterable, hidden, replicas: Replicas
) -> float:
    """Returns the mean cross-entropy over a text, in nats a word.

    Args:
      run: compiled (window, hidden) -> (sum of nats, hidden after), on each
        replica.
      windows: (inputs [B, T], targets [B, T], fresh [B]).
      hidden: the state before the first one, [B, H] over all replicas.
      replicas: where it runs.
    """
    total, words = 0.0, 0
    for window in windows:
        value, hidden = run(window, hidden)
        total += float(replicas.sum(value))
        words += replicas.batch_size(window) * int(replicas.local(window[1]).shape[1])
    return total / words
