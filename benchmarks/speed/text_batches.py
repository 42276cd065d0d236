"""Text for the steps of benchmarks of language."""

from __future__ import annotations

import tensorflow as tf


def random_windows(batch_size: int, bptt: int, words: int) -> tf.data.Dataset:
    """Yields one window again and again: inputs, targets [B, T], fresh [B]."""
    shape = (batch_size, bptt)
    ids = tf.random.uniform(shape, 0, words, tf.int32, seed=0)
    fresh = tf.zeros([batch_size], tf.bool)
    return tf.data.Dataset.from_tensors((ids, ids, fresh)).repeat()
