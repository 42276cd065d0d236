"""The pools, and the traps of TensorFlow's."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import implementation, pools
from darts_tf.networks.compiled import derivative_mode

RNG = np.random.default_rng(0)


def pool_by_hand(x, stride, reduce):
    height, width = (-(-n // stride) for n in x.shape[1:3])
    out = np.zeros((len(x), height, width, x.shape[3]))
    for i in range(height):
        for j in range(width):
            top, left = i * stride - 1, j * stride - 1
            window = x[:, max(top, 0) : top + 3, max(left, 0) : left + 3]
            out[:, i, j] = reduce(window, axis=(1, 2))
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("height", [8, 7])
@pytest.mark.parametrize("name, reduce", [("max", np.max), ("avg", np.mean)])
def test_pools_ignore_their_padding(stride, height, name, reduce):
    x = RNG.standard_normal((2, height, 8, 3)).astype(np.float32) - 5
    y = pools.POOLS[f"{name}_pool_3x3"](tf.constant(x), stride)
    np.testing.assert_allclose(y, pool_by_hand(x, stride, reduce), atol=1e-5)
    with implementation.exported():
        same = pools.POOLS[f"{name}_pool_3x3"](tf.constant(x), stride)
    np.testing.assert_array_equal(same, y)


def test_a_max_pool_whose_gradient_has_none_pads_within_itself():
    """And equal pixels share the gradient the same way."""
    x = tf.constant(RNG.integers(-3, 0, (2, 7, 8, 3)), tf.float32)
    dy = tf.constant(RNG.integers(0, 9, x.shape), tf.float32)

    def pooled():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pools.max_pool(x, 1)
        return y, tape.gradient(y, x, dy)

    plain = tf.function(pooled).get_concrete_function()
    with derivative_mode.set_differentiated_once():
        once = tf.function(pooled).get_concrete_function()
    kinds = [{o.type for o in f.graph.get_operations()} for f in (plain, once)]
    assert ["PadV2" in kind for kind in kinds] == [True, False]
    for one, other in zip(plain(), once(), strict=True):
        np.testing.assert_array_equal(one, other)


def second_derivative(function):
    """x -> d/dx <grad of sum(sin(f(x)) r), u>, u made of x in the graph."""
    r = RNG.standard_normal((2, 8, 8, 3))

    def compute(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                value = tf.reduce_sum(tf.sin(function(x)) * r)
            g = inner.gradient(value, x)
        return outer.gradient(g, x, output_gradients=tf.sin(x))

    return compute


@pytest.mark.parametrize("name", sorted(pools.POOLS))
def test_second_derivative_of_pools_in_a_graph(name):
    compute = second_derivative(lambda x: pools.POOLS[name](x, 1))
    x = tf.constant(RNG.standard_normal((2, 8, 8, 3)))
    eager, graph = compute(x), tf.function(compute)(x)
    assert np.abs(eager).max() > 0.1
    np.testing.assert_allclose(eager, graph, atol=1e-10)


def test_tensorflow_is_still_wrong_with_max_pools_derivative():
    """If this fails, MaxPoolGradGrad is mended: max_pool can use SAME."""
    compute = second_derivative(lambda x: tf.nn.max_pool2d(x, 3, 1, "SAME"))
    x = tf.constant(RNG.standard_normal((2, 8, 8, 3)))
    assert np.abs(compute(x) - tf.function(compute)(x)).max() > 0.1
