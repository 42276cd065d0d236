"""The papers' steps, by hand and against problems with known optima."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD, Adam, clip_coefficient

W = [tf.constant([1.0, -2.0], tf.float64), tf.constant([[3.0]], tf.float64)]
G = [tf.constant([3.0, 4.0], tf.float64), tf.constant([[12.0]], tf.float64)]


def test_decay_is_not_doubled_and_momentum_is_torchs():
    sgd = SGD(momentum=0.9, weight_decay=0.1)
    slots = [tf.ones_like(w) for w in W]
    moved, slots = sgd.step(W, G, slots, 0.5)
    v = 0.9 + np.array([3 + 0.1, 4 - 0.2])
    np.testing.assert_allclose(slots[0], v)
    np.testing.assert_allclose(moved[0], W[0] - 0.5 * v)


def test_buffer_does_not_hold_the_learning_rate():
    sgd = SGD(momentum=0.9)
    _, once = sgd.step(W, G, sgd.slots(W), 0.1)
    _, other = sgd.step(W, G, sgd.slots(W), 100.0)
    np.testing.assert_array_equal(once[0], other[0])


def test_clipping_is_global_and_never_enlarges():
    assert float(clip_coefficient(G, 6.5)) == pytest.approx(0.5, rel=1e-6)
    assert clip_coefficient(G, 100.0) == 1
    moved, _ = SGD(clip_norm=6.5).step(W, G, [], 1.0)
    np.testing.assert_allclose(moved[0], W[0] - 0.5 * G[0], rtol=1e-6)


@pytest.mark.parametrize("clip", [0.0, 6.5, 100.0])
def test_pull_back_is_the_steps_derivative(clip):
    sgd = SGD(0.9, 0.1, clip)
    slots = [tf.ones_like(w) for w in W]
    v = [tf.constant([1.0, 2.0], tf.float64), tf.constant([[-1.0]], tf.float64)]
    u = sgd.pull_back(W, G, slots, 0.5, v)

    def along(h):
        g = [G[0] + [h, 0.0], G[1]]
        moved, _ = sgd.step(W, g, slots, 0.5)
        return sum(float(tf.reduce_sum(a * b)) for a, b in zip(moved, v))

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    assert float(u[0][0]) == pytest.approx(slope, rel=1e-6)
    if clip in (0.0, 100.0):
        np.testing.assert_allclose(u[0], -0.5 * v[0])


def test_adam_first_steps():
    adam = Adam(0.1, weight_decay=0.5)
    moved, slots = adam.step(W, G, adam.slots(W))
    g = G[0] + 0.5 * W[0]  # L2, in the gradient; the first step is lr * sign
    np.testing.assert_allclose(moved[0], W[0] - 0.1 * np.sign(g), rtol=1e-6)
    assert slots[-1] == 1
    _, slots = adam.step(moved, G, slots)
    assert slots[-1] == 2


def test_adam_finds_the_minimum():
    adam, p = Adam(0.05), [tf.constant([5.0])]
    slots = adam.slots(p)
    for _ in range(500):
        p, slots = adam.step(p, [2 * (p[0] - 1)], slots)
    np.testing.assert_allclose(p[0], [1], atol=1e-2)
