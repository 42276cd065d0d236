"""Padding, stride and dilation, against loops, and TensorFlow's traps."""

from __future__ import annotations

import os

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.convolutions import (
    Conv,
    DepthwiseConv,
    joined,
    pad,
    phases_read,
)
from tests.scripts import check_says

RNG = np.random.default_rng(0)


def depthwise_by_hand(x, kernel, stride, dilation):
    """torch's depthwise convolution, by loops; x [B, H, W, C]."""
    k = kernel.shape[0]
    pad = dilation * (k - 1) // 2
    x = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    reach = dilation * (k - 1)
    height = (x.shape[1] - reach - 1) // stride + 1
    width = (x.shape[2] - reach - 1) // stride + 1
    out = np.zeros((len(x), height, width, x.shape[3]))
    for i in range(height):
        for j in range(width):
            for a in range(k):
                for b in range(k):
                    pixel = x[:, i * stride + a * dilation, j * stride + b * dilation]
                    out[:, i, j] += pixel * kernel[a, b, :, 0]
    return out


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("height", [8, 7])
def test_depthwise(size, stride, dilation, height):
    x = RNG.standard_normal((2, height, 8, 3)).astype(np.float32)
    layer = DepthwiseConv(size, stride, dilation)
    y = layer(x)
    expected = depthwise_by_hand(x, layer.kernel.numpy(), stride, dilation)
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_tensorflow_is_still_wrong_with_stride_and_dilation():
    """If this fails, the trap is gone and DepthwiseConv can be simpler."""
    x = RNG.standard_normal((1, 8, 8, 2)).astype(np.float32)
    kernel = RNG.standard_normal((3, 3, 2, 1)).astype(np.float32)
    try:
        y = tf.nn.depthwise_conv2d(
            tf.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]]),
            kernel,
            [1, 2, 2, 1],
            "VALID",
            dilations=[2, 2],
        )
    except (ValueError, tf.errors.OpError):
        return
    expected = depthwise_by_hand(x, kernel, 2, 2)
    assert y.shape != expected.shape or np.abs(y - expected).max() > 1e-3


def test_tensorflow_is_still_wrong_with_dilations_gradient():
    """If this fails, `dilations` could spare the phases."""
    x = tf.constant(RNG.standard_normal((2, 8, 8, 3)), tf.float32)
    kernel = tf.constant(RNG.standard_normal((3, 3, 3, 1)), tf.float32)

    def native(x, kernel):
        return tf.raw_ops.DepthwiseConv2dNative(
            input=x,
            filter=kernel,
            strides=[1, 1, 1, 1],
            padding="SAME",
            dilations=[1, 2, 2, 1],
        )

    layer = DepthwiseConv(3, 1, 2)
    layer.build(x.shape)
    layer.kernel.assign(kernel)
    gradients = []
    try:
        for function in (native, lambda x, kernel: layer(x)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = tf.reduce_sum(tf.sin(function(x, kernel)))
            gradients.append(tape.gradient(value, x))
    except tf.errors.OpError:
        return  # refused, as on machines without oneDNN
    assert np.abs(gradients[0] - gradients[1]).max() > 0.1


@pytest.mark.parametrize(
    "kernel, strides, padded",
    [
        ((1, 1), (1, 1), True),
        ((1, 1), (2, 2), True),
        ((3, 3), (1, 1), True),
        ((3, 3), (2, 2), True),
        ((1, 7), (1, 2), True),
        ((2, 2), (1, 1), False),
    ],
)
def test_a_convolution(kernel, strides, padded):
    """Against sums of products over the kernel; no TensorFlow's SAME."""
    x = RNG.standard_normal((2, 9, 8, 3)).astype(np.float32)
    layer = Conv(4, kernel, strides, padded)
    y = layer(x)
    margin = [(k - 1) // 2 if padded else 0 for k in kernel]
    wide = np.pad(x, [(0, 0), (margin[0],) * 2, (margin[1],) * 2, (0, 0)])
    shape = [(n - k) // s + 1 for n, k, s in zip(wide.shape[1:3], kernel, strides)]
    expected = np.zeros((2, *shape, 4))
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            read = wide[:, a :: strides[0], b :: strides[1]]
            read = read[:, : shape[0], : shape[1]]
            expected += read @ layer.kernel.numpy()[a, b]
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_it_computes_in_the_type_of_its_input():
    x = tf.zeros((1, 4, 4, 2), tf.bfloat16)
    for layer in (Conv(3), Conv(3, (3, 3)), DepthwiseConv(3)):
        assert layer(x).dtype == tf.bfloat16
        assert layer.trainable_variables[0].dtype == "float32"


def test_padding_by_a_value():
    padded = pad(tf.zeros((1, 2, 3, 1)), 2, value=-1.0)[0, :, :, 0]
    assert padded.shape == (6, 7)
    assert float(tf.reduce_sum(padded)) == -(6 * 7 - 2 * 3)


def test_phases_are_put_together_again():
    x = tf.constant(RNG.standard_normal((3, 4, 6, 2)))
    (phases,) = phases_read(x, 1)
    assert phases.shape == (12, 2, 3, 2)
    np.testing.assert_array_equal(phases[:3], x[:, ::2, ::2])
    np.testing.assert_array_equal(joined(phases, 1), x)


@pytest.mark.parametrize("size", [(4, 6), (5, 6), (5, 3)])
def test_with_stride_2_two_phases_are_read(size):
    x = tf.constant(RNG.standard_normal((3, *size, 2)))
    even, odd = phases_read(x, 2)
    np.testing.assert_array_equal(even, x[:, ::2, ::2])
    padded = tf.pad(x, [[0, 0], *([0, n % 2] for n in size), [0, 0]])
    np.testing.assert_array_equal(odd, padded[:, 1::2, 1::2])


STRIDED = """
import numpy as np, tensorflow as tf
from darts_tf.networks.convolutions import Conv
random = np.random.default_rng(0)
for channels in (1, 2, 3, 4, 8):
    x = random.standard_normal((6, 8, 8, channels)).astype("f")
    g = random.standard_normal((6, 4, 4, channels)).astype("f")
    layer = Conv(channels, strides=(2, 2))
    layer(x)
    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(layer(tf.constant(x)) * g)
        return tape.gradient(value, layer.kernel.value)
    wanted = np.einsum("bhwi,bhwo->io", x[:, ::2, ::2], g)
    np.testing.assert_allclose(gradient()[0, 0], wanted, atol=1e-4)
print("EQUAL")
"""


@pytest.mark.slow
def test_the_gradient_of_a_strided_point_with_and_without_onednn():
    """tf.nn.conv2d's is wrong with oneDNN on AVX2 (TensorFlow 2.21)."""
    here = os.environ["TF_ENABLE_ONEDNN_OPTS"]
    exec(STRIDED, {})
    check_says(STRIDED, "EQUAL", TF_ENABLE_ONEDNN_OPTS=str(1 - int(here)))
