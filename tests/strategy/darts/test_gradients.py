"""Derivatives of one loss, against those by brute force."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.strategy.darts import bilevel, execution

PRODUCTS = bilevel.reverse_over_reverse, bilevel.forward_over_reverse
RNG = np.random.default_rng(0)
W = [tf.constant(RNG.normal(size=shape)) for shape in ((3, 2), (2,))]
ALPHA = [tf.constant(RNG.normal(size=4)), tf.constant(RNG.normal(size=2))]
BATCH = tf.constant(RNG.normal(size=(5, 3)))
U = [tf.constant(RNG.normal(size=shape)) for shape in ((3, 2), (2,))]


def loss(w, alpha, batch, seed):
    """Smooth; the seed counts."""
    hidden = tf.tanh(batch @ w[0] + alpha[1])
    mixed = hidden @ tf.reshape(tf.nn.softmax(alpha[0]), [2, 2]) * w[1]
    return tf.reduce_mean((mixed + seed) ** 2), {"hidden": hidden}


def flat(tensors) -> np.ndarray:
    return np.concatenate([np.ravel(t) for t in tensors])


def difference(value, tensors, place: int, length=1e-6):
    """The central difference along one element of a list of tensors."""

    def at(more):
        row = flat(tensors)
        row[place] += more
        parts = np.split(row, np.cumsum([tf.size(t) for t in tensors])[:-1])
        moved = [p.reshape(t.shape) for p, t in zip(parts, tensors)]
        return value([tf.constant(t) for t in moved])

    return (at(length) - at(-length)) / (2 * length)


def by_differences(value, tensors) -> np.ndarray:
    return np.array([difference(value, tensors, n) for n in range(flat(tensors).size)])


def test_gradients_of_weights_and_alpha():
    given = BATCH, 0.5
    by_w, value, aux = bilevel.grad_w(loss, W, ALPHA, *given)
    by_alpha, same, _ = bilevel.grad_alpha(loss, W, ALPHA, *given)
    both = bilevel.grad_w_alpha(loss, W, ALPHA, *given)
    assert value == same == both[2] and aux["hidden"].shape == (5, 2)
    wanted = by_differences(lambda w: loss(w, ALPHA, *given)[0], W)
    np.testing.assert_allclose(flat(by_w), wanted, atol=1e-8)
    np.testing.assert_array_equal(flat(by_w), flat(both[0]))
    wanted = by_differences(lambda a: loss(W, a, *given)[0], ALPHA)
    np.testing.assert_allclose(flat(by_alpha), wanted, atol=1e-8)
    np.testing.assert_array_equal(flat(by_alpha), flat(both[1]))


def scaled(marked, scale, *values):
    """Runs a derivative as an execution in float16 does, but in float64."""

    def run(marked, loss, *values):
        return marked(loss, *values)

    return execution._scaled(run, scale, marked, loss, *values)


def test_a_scale_leaves_gradients_and_losses_as_they_are():
    given = W, ALPHA, BATCH, 0.5
    by_w, by_alpha, value, aux = scaled(bilevel.grad_w_alpha, 1024.0, *given)
    wanted = bilevel.grad_w_alpha(loss, *given)
    np.testing.assert_array_equal(flat(by_w), flat(wanted[0]))
    np.testing.assert_array_equal(flat(by_alpha), flat(wanted[1]))
    assert value == wanted[2]
    np.testing.assert_array_equal(aux["hidden"], wanted[3]["hidden"])


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_the_derivative_of_the_slope_along_u(product, scale):
    """Its sign, too; an execution's scale of the loss leaves what it is."""
    found = product(loss, W, ALPHA, BATCH, 0.5, U)
    if scale != 1:
        plain = found
        found = scaled(product, scale, W, ALPHA, BATCH, 0.5, U)
        np.testing.assert_allclose(flat(found), flat(plain), rtol=1e-12)

    def slope(alpha):
        g, *_ = bilevel.grad_w(loss, W, alpha, BATCH, 0.5)
        return flat(g) @ flat(U)

    wanted = by_differences(slope, ALPHA)
    assert np.abs(wanted).min() > 1e-4
    np.testing.assert_allclose(flat(found), wanted, atol=1e-8)


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_the_loss_does_not_depend_on_has_zeros(product):
    def simple(w, alpha, batch, seed):
        return tf.reduce_sum(w[0] ** 2 * alpha[0][0]), None

    given = simple, W, ALPHA, BATCH, 0.5, U
    first, second = product(*given)
    assert np.abs(first[0]) > 0.1 and not np.any(first[1:])
    np.testing.assert_array_equal(second, np.zeros(2))
