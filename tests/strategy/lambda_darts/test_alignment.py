"""Layer alignment and its derivatives, against the paper's closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.strategy.lambda_darts.alignment import (
    mean_pairwise_cosine,
    mean_pairwise_sign,
)

RNG = np.random.default_rng(0)
G = [RNG.standard_normal((3, 2)) for _ in range(4)]
BOTH = pytest.mark.parametrize("alignment", [mean_pairwise_cosine, mean_pairwise_sign])


def pairs(function):
    """Mean of function(g, h) over all pairs, by a plain loop."""
    values = [
        function(G[i].ravel(), G[j].ravel()) for i in range(len(G)) for j in range(i)
    ]
    return np.mean(values)


def derivatives(alignment, gradients):
    g = [tf.constant(x) for x in gradients]
    with tf.GradientTape() as tape:
        tape.watch(g)
        value = alignment(g)
    return float(value), tape.gradient(value, g)


def test_cosine():
    value, found = derivatives(mean_pairwise_cosine, G)
    norm = np.linalg.norm
    assert value == pytest.approx(pairs(lambda g, h: g @ h / norm(g) / norm(h)))
    units = [g.ravel() / norm(g) for g in G]
    for g, u, ours in zip(G, units, found, strict=True):
        projection = np.eye(g.size) - np.outer(u, u)
        wanted = 2 / (4 * 3) * projection @ sum(units) / norm(g)
        np.testing.assert_allclose(ours, wanted.reshape(3, 2), atol=1e-14)


def test_sign():
    value, found = derivatives(mean_pairwise_sign, G)
    ratio = lambda g, h: (g @ h) / (abs(g) @ abs(h))
    assert value == pytest.approx(pairs(ratio))
    for i, ours in enumerate(found):
        wanted = 0
        for j, h in enumerate(G):
            if i != j:
                g, h = G[i].ravel(), h.ravel()
                same = ratio(g, h) * np.sign(g) * np.sign(h)
                wanted = wanted + (1 - same) * h / (abs(g) @ abs(h))
        wanted = 2 / (4 * 3) * wanted
        np.testing.assert_allclose(ours, wanted.reshape(3, 2), atol=1e-14)


@BOTH
def test_it_is_1_for_equal_and_minus_1_for_opposite_gradients(alignment):
    assert float(alignment([G[0], G[0], G[0]])) == pytest.approx(1)
    assert float(alignment([G[0], -G[0]])) == pytest.approx(-1)


@BOTH
def test_a_zero_gradient_gives_no_nan(alignment):
    value, found = derivatives(alignment, [G[0], 0 * G[1], G[2]])
    alone, (first, last) = derivatives(alignment, [G[0], G[2]])
    assert value == pytest.approx(alone / 3)  # one pair of three is left
    np.testing.assert_allclose(found[0], first / 3)
    np.testing.assert_allclose(found[2], last / 3)
    np.testing.assert_array_equal(found[1], np.zeros((3, 2)))
    value, found = derivatives(alignment, [0 * G[0], 0 * G[1]])
    assert value == 0 and not np.any(found)


@BOTH
def test_one_layer_is_refused(alignment):
    with pytest.raises(InputError, match="at least two.*received 1"):
        alignment([tf.constant(G[0])])
