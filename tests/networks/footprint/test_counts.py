from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import operation_registry, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.networks.footprint.counts import multiply_adds, parameters
from darts_tf.networks.operations import DepthwiseConv, register_operation
from darts_tf.space.published import CONVOLUTIONAL


def test_multiply_adds_by_hand():
    class Tiny:
        compute_dtype = "float32"

        def __call__(self, x, training):
            x = tf.nn.conv2d(x, tf.zeros((3, 3, 2, 5)), 2, "SAME")
            x = tf.nn.depthwise_conv2d(x, tf.zeros((3, 3, 5, 1)), [1] * 4, "VALID")
            return tf.reduce_mean(x, [1, 2]) @ tf.zeros((5, 7))

    expected = 4 * 4 * 5 * 9 * 2 + 2 * 2 * 5 * 9 + 5 * 7
    assert multiply_adds(Tiny(), (8, 8, 2)) == expected


@pytest.mark.parametrize("stride, result", [(1, 7 * 6), (2, 4 * 3)])
def test_dilation_makes_a_convolution_no_dearer(stride, result):
    """Odd sizes too: what the phases hold beyond the image is not counted."""

    class Dilated:
        compute_dtype = "float32"
        layer = DepthwiseConv(5, stride, dilation=2)

        def __call__(self, x, training):
            return self.layer(x)

    assert multiply_adds(Dilated(), (7, 6, 2)) == result * 2 * 25


def test_the_auxiliary_head_is_no_part_of_inference():
    counts = []
    for auxiliary in (True, False):
        net = EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 10, auxiliary)
        net(np.zeros((1, 8, 8, 3), np.float32), training=True)
        counts.append(parameters(net))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("cost", [None, lambda shape, stride: 1000 * stride])
def test_registered_operations_are_counted(cost):
    name = f"own_{cost is None}".lower()

    @register_operation(name, cost=cost)
    def own(channels, stride):
        return keras.layers.SeparableConv2D(channels, 3, stride, "same")

    layer = operations.build(name, 4, 2, lambda: BatchNorm(True))
    layer.build((None, 7, 6, 4))
    traced = 4 * 3 * 4 * (9 + 4)
    assert multiply_adds(layer, (7, 6, 4)) == (2000 if cost else traced)
    operation_registry.unregister_operation(name)


@pytest.mark.parametrize(
    "equation, second, expected",
    [
        ("bhwc,cd->bhwd", (3, 5), 8 * 6 * 3 * 5),
        ("...c,cd->...d", (3, 5), 8 * 6 * 3 * 5),
        ("bhwc,bijc->bhwij", (1, 2, 4, 3), 8 * 6 * 2 * 4 * 3),
        ("bhwc->bc", None, 0),
    ],
)
def test_multiply_adds_of_einsum(equation, second, expected):
    class Model(keras.layers.Layer):
        def call(self, x):
            others = [] if second is None else [tf.ones(second)]
            return tf.einsum(equation, x, *others)

    assert multiply_adds(Model(), (8, 6, 3)) == expected
