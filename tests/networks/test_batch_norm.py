"""Batch norm has the papers' constants, not Keras's."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.batch_norm import BatchNorm


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_batch_statistics_and_running_ones(dtype):
    x = np.random.default_rng(0).normal(3, 2, (4, 3, 3, 2)).astype(dtype)
    layer = BatchNorm(False, dtype=dtype)
    y = layer(x, training=True)
    mean, biased = x.mean((0, 1, 2)), x.var((0, 1, 2))
    expected = (x - mean) / np.sqrt(biased + 1e-5)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    unbiased = x.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * unbiased, rtol=1e-5)


def test_inference_uses_running_statistics():
    layer = BatchNorm(False)
    x = tf.random.stateless_normal((4, 3, 3, 2), [1, 2])
    y = layer(x, training=False)
    np.testing.assert_allclose(y, x / np.sqrt(1 + 1e-5), rtol=1e-5)


def test_parameters_only_where_affine():
    plain, affine = BatchNorm(False), BatchNorm(True)
    for layer in (plain, affine):
        layer(tf.zeros((1, 2, 2, 3)))
    assert len(plain.trainable_variables) == 0
    assert len(affine.trainable_variables) == 2


def test_stateless_pass_moves_nothing():
    layer = BatchNorm(False)
    x = tf.random.stateless_normal((4, 3, 3, 2), [1, 2]) + 5
    layer(x, training=False)
    state = [v.value for v in layer.non_trainable_variables]
    _, moved = layer.stateless_call([], state, x, training=True)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(2))
    assert np.abs(moved[0]).min() > 0.1
