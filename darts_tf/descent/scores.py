"""Accuracy, measured over replicas."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import tensorflow as tf

from darts_tf.descent.replicas import Replicas


def correct(logits, labels):
    """How many of logits [B, K] are largest at labels [B], float32."""
    hits = tf.equal(tf.argmax(logits, -1, labels.dtype), labels)
    return tf.reduce_sum(tf.cast(hits, tf.float32))


def compile_share(replicas: Replicas) -> Callable:
    """A compiled (logits, labels) -> share of correct ones, of the batch."""

    def share(logits, labels):
        count = tf.cast(tf.shape(labels)[0], tf.float32)
        return replicas.mean([correct(logits, labels) / count])[0]

    return replicas.compile(share)


def accuracy(count: Callable, batches: Iterable, replicas: Replicas) -> float:
    """Share of correct answers over all `batches`.

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
