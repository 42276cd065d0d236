"""Sums of many tensors in one order, in all functions that are traced."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.run.process import ordered_sums
from tests.traced_sums import longest_sum

X = tf.TensorSpec([5])


@pytest.fixture
def ordered():
    with ordered_sums.restored():
        ordered_sums.switch_on()
        yield


def many_readers(x):
    """Returns the gradient of a tensor with four readers, and in a loop too."""

    def body(t, s):
        return t + 1, tf.sin(s) + s * tf.cos(s) + tf.tanh(s)

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.add_n([tf.sin(x), tf.cos(x), tf.tanh(x), x * x])
        _, y = tf.while_loop(lambda t, _: t < 3, body, (0, y))
    return tape.gradient(y, x)


def rewrites() -> bool | None:
    """Returns whether Grappler may rewrite sums; None: as TensorFlow likes."""
    options = tf.config.optimizer.get_experimental_options()
    return options.get("arithmetic_optimization")


def test_two_are_added_at_a_time(ordered):
    assert longest_sum(tf.function(many_readers), X) == 2
    assert rewrites() is False


def test_afterwards_tensorflow_adds_as_before():
    with ordered_sums.restored():
        ordered_sums.switch_on()
    assert longest_sum(tf.function(many_readers), X) > 2
    assert rewrites() is None


def test_the_sum_is_that_of_numpy(ordered):
    terms = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    np.testing.assert_array_equal(tf.add_n([*map(tf.constant, terms)]), total)


def test_a_moved_function_is_said(monkeypatch, caplog):
    monkeypatch.setattr(ordered_sums, "_original", None)
    ordered_sums._say_once.cache_clear()
    with caplog.at_level(logging.WARNING, ordered_sums.__name__):
        ordered_sums.switch_on()
    ordered_sums._say_once.cache_clear()
    assert "TF_NUM_INTEROP_THREADS=1" in caplog.text
