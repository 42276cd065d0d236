"""A TensorFlow without the private names computes the same."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.compiled import private_tensorflow
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Execution, weights_of
from tests.precision import computed_in_float64
from tests.strategy.small_space import SMALLER


def derivatives() -> list:
    """Values, first and second derivatives of a supernet, compiled."""
    keras.utils.set_random_seed(0)
    with computed_in_float64():
        model = Supernet(SMALLER, 1, 3, 3)
        model.build((None, 8, 8, 1))
    weights = weights_of(model)
    w = weights.values()
    alpha = [tf.constant(np.cos(np.arange(6.0)).reshape(2, 3)) for _ in SMALLER.cells]
    images = tf.random.stateless_normal((4, 8, 8, 1), [3, 4], dtype=tf.float64)
    values = w, alpha, (images, tf.constant([0, 1, 2, 0])), tf.constant([0, 0])
    loss = weights.loss(relaxation.supernet_loss(model))
    u = [tf.cos(100 * v) for v in w]
    with Execution(Replicas("one_device")).active():
        by_alpha, value, _ = bilevel.grad_alpha(loss, *values)
        product = bilevel.reverse_over_reverse
        if model.has_directional_derivatives:
            product = bilevel.forward_over_reverse
        exact = product(loss, *values, u)
    return [value, *by_alpha, *exact]


@pytest.mark.slow
def test_the_public_way_gives_the_same_and_says_so_once(monkeypatch, caplog):
    assert private_tensorflow.available()
    wanted = derivatives()
    monkeypatch.setattr(private_tensorflow, "_record", None)
    private_tensorflow._say_once.cache_clear()
    with caplog.at_level(logging.WARNING, private_tensorflow.__name__):
        results = derivatives()
    assert sum("slower" in record.message for record in caplog.records) == 1
    for one, other in zip(results, wanted, strict=True):
        size = np.abs(other).max()
        assert size > 1e-4
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9 * size)


@pytest.fixture(autouse=True)
def say_again():
    yield
    private_tensorflow._say_once.cache_clear()
