"""Derivatives of batch norm that are made of fused operations."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.batch_norm import EPSILON, BatchNorm
from darts_tf.networks.compiled import derivative_mode
from darts_tf.networks.compiled.batch_norm_gradients import normalised

RNG = np.random.default_rng(0)
SHAPE, AXES = (4, 5, 6, 3), [0, 1, 2]
X, C, A = (RNG.normal(1, 2, SHAPE) for _ in range(3))
GAMMA, BETA, A_GAMMA, A_BETA = RNG.normal(size=(4, 3))


def plain(x, gamma, beta):
    mean = tf.reduce_mean(x, AXES)
    variance = tf.reduce_mean(tf.math.squared_difference(x, mean), AXES)
    return gamma * (x - mean) * tf.math.rsqrt(variance + EPSILON) + beta


def ours(x, gamma, beta):
    return normalised(x, gamma, beta, EPSILON)[0]


def first_order(norm):
    """x, gamma, beta, c -> the derivatives by the first three."""

    def gradient(x, gamma, beta, c):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([x, gamma, beta])
            value = tf.reduce_sum(tf.sin(norm(x, gamma, beta)) * c)
        return tape.gradient(value, [x, gamma, beta])

    return gradient


def of_both_orders(gradient, dtype):
    """First derivatives, and those of all of them in some direction."""
    x, c, a, gamma, beta, *along = (
        tf.constant(t, dtype) for t in (X, C, A, GAMMA, BETA, A_GAMMA, A_BETA)
    )
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([x, gamma, beta, c])
        first = gradient(x, gamma, beta, c)
    second = tape.gradient(first, [x, gamma, beta, c], [a, *along])
    return [*first, *second]


def called(function, noinline: bool = True):
    kept = {"_noinline": noinline}
    return tf.function(function, experimental_attributes=kept)


@pytest.mark.parametrize("way", ["eager", "graph", "call", "dissolved"])
def test_first_and_second_derivatives(way):
    """Checks derivatives, also of calls of a gradient (directional_derivatives.py)."""
    gradient = first_order(ours)
    if way in ("call", "dissolved"):
        gradient = called(gradient, way == "call")

    def found():
        return of_both_orders(gradient, tf.float32)

    found = found() if way == "eager" else tf.function(found)()
    wanted = of_both_orders(first_order(plain), tf.float64)
    for ours_, exact in zip(found, wanted, strict=True):
        size = np.abs(exact).max()
        assert size > 0.1
        np.testing.assert_allclose(ours_, exact, atol=3e-6 * size)


def test_the_gradient_of_a_call_has_no_derivative():
    """Nothing needs it, and it would take a third more nodes."""
    gradient = first_order(called(ours))
    with pytest.raises(ValueError, match="out of scope"):
        tf.function(lambda: of_both_orders(gradient, tf.float32))()


def test_along_a_direction_only_the_derivative_by_what_arrives():
    """<by_x(c), a> has a derivative by c, and none by x and gamma."""
    x, c, a, gamma, beta = (tf.constant(t, tf.float32) for t in (X, C, A, GAMMA, BETA))
    with derivative_mode.set_directional_pass():
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([x, c, gamma])
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = ours(x, gamma, beta)
            by_x = inner.gradient(y, x, c)
        by_c = outer.gradient(by_x, c, a)
        assert outer.gradient(by_x, [x, gamma], a) == [None, None]
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = plain(x, gamma, beta)
    wanted = tape.gradient(y, x, a)  # the Jacobian is symmetric
    np.testing.assert_allclose(by_c, wanted, atol=1e-5)


def test_a_third_derivative_is_refused():
    x = tf.constant(X, tf.float32)
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = ours(x, tf.ones(3), tf.zeros(3)) ** 3
            g = first.gradient(y, x)
        h = second.gradient(g, x)
    with pytest.raises(NotImplementedError, match="third"):
        third.gradient(h, x)


@pytest.mark.parametrize("affine", [False, True])
def test_a_layer_takes_them_along_a_direction_and_moves_the_same(affine):
    """Eagerly, where scale and shift are variables."""
    x = tf.constant(X, tf.float32)
    results = []
    for scope in (
        derivative_mode.set_directional_pass,
        derivative_mode.set_constant_in_weights,
    ):
        layer = BatchNorm(affine)
        with scope(), tf.GradientTape() as tape:
            tape.watch(x)
            scale = None if affine else tf.constant(GAMMA, tf.float32)
            y = layer(x, scale=scale, training=True)
            g = tape.gradient(y, x, tf.cos(y))
        moved = [v.numpy() for v in layer.non_trainable_variables]
        results.append([y, g, *moved])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
