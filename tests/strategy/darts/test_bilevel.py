"""The bilevel gradient on problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.errors import InputError
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.bilevel import Unroll
from tests.strategy.architecture_gradient import ArchitectureGradient

SEED = tf.constant([0, 0])


def toy(w, alpha, batch, seed):
    """The paper's problem (sect. 2.3, figure 2); batch says which loss."""
    del seed
    (w,), (a,) = w, alpha
    if batch == "valid":
        return a * w - 2 * a + 1, None
    return w * w - 2 * a * w + a * a, None


def solve(method, xi, steps=400):
    gradient = ArchitectureGradient(toy, method)
    w, alpha = [tf.constant(-2.0)], [tf.constant(2.0)]
    unroll = Unroll(SGD(), [], tf.constant(xi))
    for _ in range(steps):
        g, _, _ = gradient(w, alpha, "train", "valid", SEED, unroll)
        alpha = [alpha[0] - 0.1 * g[0]]
        g, _, _ = gradient.grad_w(w, alpha, "train", SEED)
        w, _ = SGD().step(w, g, [], 0.5)
    return float(alpha[0]), float(w[0])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["finite_difference", "exact"])
def test_toy_problem_goes_to_the_optimum(method):
    assert solve(method, 0.5) == pytest.approx((1, 1), abs=1e-3)


def test_toy_problem_first_order_goes_elsewhere():
    assert solve("first_order", 0.5) == pytest.approx((2, 2), abs=1e-3)


@pytest.mark.slow
def test_toy_problem_with_xi_zero_is_first_order():
    assert solve("exact", 0.0) == pytest.approx((2, 2), abs=1e-3)


RNG = np.random.default_rng(0)
X, Y = (tf.constant(RNG.standard_normal((2, 16, 5))) for _ in range(2))


def smooth(w, alpha, batch, seed):
    """A smooth network of two layers, alpha weighing its hidden units."""
    del seed
    x, y = X[batch], Y[batch][:, :1]
    hidden = tf.tanh(x @ w[0]) * tf.nn.softmax(alpha[0])
    return tf.reduce_mean((hidden @ w[1] - y) ** 2), None


def start():
    w = [tf.constant(RNG.standard_normal(s)) for s in ((5, 4), (4, 1))]
    return w, [tf.constant(RNG.standard_normal(4))]


@pytest.mark.parametrize("method", ["finite_difference", "exact"])
@pytest.mark.parametrize("sgd", [SGD(), SGD(0.9, 0.01), SGD(0.9, 0.01, clip_norm=0.1)])
def test_against_brute_force(method, sgd):
    """d/dalpha L_val(w'(alpha), alpha) by differences, clipping included."""
    w, alpha = start()
    slots = [tf.ones_like(t) for t in sgd.slots(w)]
    rate = tf.constant(0.3, tf.float64)

    def value(shift):
        moved = [alpha[0] + shift]
        g, _, _ = bilevel.grad_w(smooth, w, moved, 0, SEED)
        unrolled, _ = sgd.step(w, g, slots, rate)
        return float(smooth(unrolled, moved, 1, SEED)[0])

    h = 1e-5
    brute = [(value(h * e) - value(-h * e)) / (2 * h) for e in np.eye(4)]
    gradient = ArchitectureGradient(smooth, method)
    ours, loss, _ = gradient(w, alpha, 0, 1, SEED, Unroll(sgd, slots, rate))
    bound = 1e-7 if method == "exact" else 1e-4
    np.testing.assert_allclose(ours[0], brute, atol=bound)
    assert float(loss) == pytest.approx(value(np.zeros(4)), rel=1e-12)
    first = ArchitectureGradient(smooth, "first_order")
    direct, _, _ = first(w, alpha, 0, 1, SEED, None)
    assert np.abs(direct[0] - brute).max() > 20 * bound  # it matters


def masked(w, alpha, batch, seed):
    """Like `smooth`, with dropout decided by the seed."""
    mask = tf.random.stateless_uniform([16, 4], seed, dtype=tf.float64) > 0.5
    x, y = X[batch], Y[batch][:, :1]
    hidden = tf.tanh(x @ w[0]) * tf.cast(mask, x.dtype)
    out = (hidden * tf.nn.softmax(alpha[0])) @ w[1]
    return tf.reduce_mean((out - y) ** 2), None


def test_both_points_of_eq_8_see_the_same_masks():
    """With one seed eq. 8 agrees with exact; with two seeds it cannot."""
    w, alpha = start()
    unroll = Unroll(SGD(), [], tf.constant(0.3, tf.float64))
    results = []
    for method in ("exact", "finite_difference"):
        gradient = ArchitectureGradient(masked, method)
        results.append(gradient(w, alpha, 0, 1, SEED, unroll)[0][0])
    np.testing.assert_allclose(*results, atol=1e-4)
    calls = []

    def other_masks(w, alpha, batch, seed):
        calls.append(1)
        return masked(w, alpha, batch, seed + len(calls))

    gradient = ArchitectureGradient(other_masks, "finite_difference")
    noisy = gradient(w, alpha, 0, 1, SEED, unroll)[0][0]
    assert np.abs(noisy - results[0]).max() > 1e-2


def test_unrolled_weights_are_the_optimizers_next_ones():
    w, alpha = start()
    sgd = SGD(0.9, 0.01, 0.1)
    slots = [tf.ones_like(t) for t in w]
    seen = []

    def watched(w, alpha, batch, seed):
        if batch == 1:
            seen.append([tf.identity(t) for t in w])
        return smooth(w, alpha, batch, seed)

    rate = tf.constant(0.3, tf.float64)
    gradient = ArchitectureGradient(watched, "exact")
    gradient(w, alpha, 0, 1, SEED, Unroll(sgd, slots, rate))
    g, _, _ = bilevel.grad_w(smooth, w, alpha, 0, SEED)
    real, _ = sgd.step(w, g, slots, rate)
    for unrolled, taken in zip(seen[0], real, strict=True):
        np.testing.assert_array_equal(unrolled, taken)


def test_no_validation_gradient_gives_no_implicit_term():
    def flat(w, alpha, batch, seed):
        value, aux = smooth(w, alpha, batch, seed)
        return (tf.reduce_sum(alpha[0] ** 2), aux) if batch else (value, aux)

    w, alpha = start()
    gradient = ArchitectureGradient(flat, "finite_difference")
    unroll = Unroll(SGD(), [], tf.constant(0.3, tf.float64))
    g, _, _ = gradient(w, alpha, 0, 1, SEED, unroll)
    np.testing.assert_allclose(g[0], 2 * alpha[0])


def test_unknown_method():
    with pytest.raises(InputError, match="first_order"):
        bilevel.implicit_term("third_order")
