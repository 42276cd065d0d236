"""Accuracy by hand; on two replicas see test_replicas.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.scores import (
    accuracy,
    compile_share,
    confusion,
    confusions,
    correct,
)

LOGITS = [[0.0, 2.0, 1.0], [3.0, 2.0, 1.0], [-3.0, -2.0, -1.0]]


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize(
    "labels, hits",
    [
        ([1, 0, 2], 3),
        ([1, 1, 1], 1),
        ([0, 2, 0], 0),
    ],
)
def test_correct_ones_are_counted(labels, hits, dtype):
    counted = correct(tf.constant(LOGITS), tf.constant(labels, dtype))
    assert counted.dtype == tf.float32 and float(counted) == hits


def test_the_right_answer_may_be_among_the_first():
    labels = [2, 2, 1]  # second, third, second in its row
    counted = [
        float(correct(tf.constant(LOGITS), tf.constant(labels), first))
        for first in (1, 2, 3)
    ]
    assert counted == [0, 2, 3]


def test_share_is_of_the_batch_whatever_its_size():
    share = compile_share(Replicas("one_device"))
    logits = tf.constant(LOGITS)
    labels = tf.constant([1, 0, 0])
    assert float(share(logits, labels)) == pytest.approx(2 / 3)
    assert float(share(logits[:2], labels[:2])) == 1.0


def test_a_smaller_last_batch_weighs_less():
    replicas = Replicas("one_device")
    count = replicas.compile(lambda batch: correct(*batch))
    logits = tf.constant(LOGITS)
    batches = [
        (logits, tf.constant([1, 0, 2])),
        (logits[:1], tf.constant([0])),
    ]
    assert accuracy(count, batches, replicas) == 3 / 4


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_confusions_are_counted_by_label_and_answer(dtype):
    replicas = Replicas("one_device")
    count = replicas.compile(lambda batch: confusion(*batch))
    logits = tf.constant(LOGITS)  # the answers 1, 0, 2
    batches = [
        (logits, tf.constant([1, 1, 2], dtype)),
        (logits[:1], tf.constant([0], dtype)),
    ]
    counts = confusions(count, batches, replicas)
    assert counts.tolist() == [[0, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert counts.dtype == np.int64
