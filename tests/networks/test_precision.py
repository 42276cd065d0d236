"""Layers on feature maps of 16 bits, against float32 on the same numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.mixed_edges import MixedEdges
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.networks.drop_path import dropped, scales
from darts_tf.networks.precision import NARROW
from darts_tf.space.cell import CellSpec

EPSILON = {tf.bfloat16: 2.0**-8, tf.float16: 2.0**-11}
RNG = np.random.default_rng(0)


def maps(dtype, channels=4, size=6):
    """Numbers that `dtype` holds exactly, in `dtype` and in float32."""
    x = tf.constant(RNG.standard_normal((3, size, size, channels)), dtype)
    return x, tf.cast(x, tf.float32)


def close(found, wanted, dtype, times=8):
    assert found.dtype == dtype
    found = tf.cast(found, tf.float32)
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert error <= times * EPSILON[dtype]


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize(
    "name, stride",
    [
        ("sep_conv_3x3", 1),
        ("dil_conv_3x3", 1),
        ("dil_conv_3x3", 2),
        ("nor_conv_3x3", 1),
        ("skip_connect", 2),
    ],
)
def test_operations_with_weights(name, stride, dtype):
    """Their weights and statistics stay float32."""
    keras.utils.set_random_seed(0)
    layer = operations.build(name, 4, stride, lambda: BatchNorm(True))
    narrow, plain = maps(dtype)
    for training in (True, False):
        wanted = layer(plain, training=training)
        scale = tf.fill([4], 0.125)
        found = layer(narrow, scale=scale, training=training)
        close(8 * found, wanted, dtype)
    assert {v.dtype for v in layer.variables} == {"float32"}


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("synchronized", [False, True])
def test_batch_statistics_are_those_of_float32(dtype, synchronized):
    layers = [BatchNorm(False, synchronized, momentum=0.0) for _ in range(2)]
    for layer, x in zip(layers, maps(dtype, size=32)):
        layer(5 + x, training=True)
    for found, wanted in zip(*(layer.variables for layer in layers)):
        # 5 + x is rounded in `dtype`; a sum in it would be far off.
        np.testing.assert_allclose(found, wanted, rtol=2 * EPSILON[dtype])


@pytest.mark.parametrize("dtype", NARROW)
def test_drop_path_drops_the_same_samples(dtype):
    y = tf.ones((64, 1, 1, 1), dtype)
    (scale,) = scales(tf.constant(0.05), [1, 2], 1, 64)
    masks = [dropped(tf.cast(y, k), scale) for k in (dtype, tf.float32)]
    assert masks[0].dtype == dtype
    close(masks[0], masks[1], dtype, times=1)
    assert 0 < np.count_nonzero(masks[1] == 0) < 16


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("packed", [False, True])
def test_a_mixing_weights_gradient_is_summed_in_float32(packed, dtype):
    """90,000 ones: more than float16 holds, and a bfloat16 stops at 256."""
    names = ("none", "skip_connect", *["nor_conv_1x1"] * packed)
    spec = CellSpec("normal", 1, 1, (names,), 1, (1,))
    unit = (
        PackedEdges(spec, 0, 1, lambda: BatchNorm(False))
        if packed
        else MixedEdges(spec, 0, 1, 1, lambda: BatchNorm(False))
    )
    weights = tf.fill([1, len(names)], 0.5)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        x = tf.ones((1, 300, 300, 1), dtype)
        ((_, terms),) = unit(x, weights, training=True)
        term = terms[-1]  # the identity's
        total = tf.reduce_sum(tf.cast(term, tf.float32))
    assert term.dtype == dtype
    gradient = tape.gradient(total, weights)[0, :2]
    np.testing.assert_allclose(gradient, [0, 9e4])


@pytest.mark.parametrize("dtype", NARROW)
def test_noise_is_that_of_float32(dtype):
    narrow, plain = maps(dtype)
    seed = tf.constant([1, 2])
    wanted = operations.noise(plain, 1, seed, 3)
    close(operations.noise(narrow, 1, seed, 3), wanted, dtype, times=1)
