"""The traps of TensorFlow's own operations."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations, pools
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import joined, phases_read
from darts_tf.space.conv import CANDIDATES

RNG = np.random.default_rng(0)


def norm():
    return BatchNorm(False)


def test_factorized_reduce_looks_at_two_phases():
    layer = operations.FactorizedReduce(2, norm)
    seen = []
    for i, j in [(0, 0), (1, 1), (0, 1), (1, 0)]:
        x = np.zeros((1, 4, 4, 1), np.float32)
        x[0, i, j] = 1
        y = layer(tf.constant(x)).numpy() - layer(tf.zeros_like(x)).numpy()
        seen.append([bool(np.abs(y[..., c]).max() > 1e-6) for c in (0, 1)])
    assert seen == [[True, False], [False, True], [False] * 2, [False] * 2]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (7, 5)])
def test_every_operation_halves_alike(stride, size):
    x = tf.random.stateless_normal((2, *size, 4), [1, 2])
    expected = (2, *(-(-n // stride) for n in size), 4)
    for name in (*CANDIDATES, "sep_conv_7x7", "conv_7x1_1x7"):
        if name == "none" or (name == "skip_connect" and stride == 1):
            continue
        if name in pools.POOLS:
            y = pools.POOLS[name](x, stride)
        else:
            layer = operations.build(name, 4, stride, norm)
            layer.build((None, *x.shape[1:]))
            foretold = layer.compute_output_shape((None, *x.shape[1:]))
            assert foretold == (None, *expected[1:]), name
            y = layer(x)
        assert y.shape == expected, name


def test_scale_of_a_chain_is_a_factor():
    x = tf.random.stateless_normal((2, 8, 8, 4), [1, 2])
    layer = operations.build("sep_conv_3x3", 4, 1, norm)
    whole = layer(x, training=True)
    half = layer(x, scale=tf.fill([4], 0.5), training=True)
    np.testing.assert_allclose(0.5 * whole, half, atol=1e-6)


def test_unknown_operation():
    with pytest.raises(InputError, match="no_such_op"):
        operations.build("no_such_op", 4, 1, norm)


@pytest.mark.parametrize(
    "name, stride",
    [
        ("dil_conv_5x5", 1),
        ("dil_conv_5x5", 2),
        ("skip_connect", 2),
    ],
)
def test_what_skips_pixels_is_the_same_in_phases(name, stride):
    """Values, batch statistics and gradients."""
    keras.utils.set_random_seed(0)
    x = tf.random.stateless_normal((3, 8, 6, 4), [1, 2])
    layer = operations.build(name, 4, stride, norm)
    layer(x)
    start = [v.numpy() for v in layer.non_trainable_variables]
    results = []
    for in_phases in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            if in_phases:
                phases = layer.in_phases(phases_read(x, stride), training=True)
                y = joined(phases, stride)
            else:
                y = layer(x, training=True)
            value = tf.reduce_sum(tf.sin(y))
        gradients = tape.gradient(value, [x, *layer.trainable_variables])
        moved = [v.numpy() for v in layer.non_trainable_variables]
        for v, value in zip(layer.non_trainable_variables, start):
            v.assign(value)
        results.append([y, *gradients, *moved])
    for plain, other in zip(*results, strict=True):
        assert np.abs(plain).max() > 1e-3
        size = np.abs(plain).max()
        np.testing.assert_allclose(plain, other, atol=1e-5 * size)
