"""Curvature in alpha: products and power iteration, against known spectra."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.strategy.diagnostics.hessian import dominant_eigenvalue, hessian_product

RNG = np.random.default_rng(0)
START = RNG.standard_normal(6)


def symmetric(spectrum) -> np.ndarray:
    """A matrix with these eigenvalues."""
    turn, _ = np.linalg.qr(RNG.standard_normal((len(spectrum),) * 2))
    return turn @ np.diag(spectrum) @ turn.T


@pytest.mark.parametrize(
    "spectrum", [[5, 3, 2, 1, 0, -1], [-7, 3, 2, 1, 0, -1], [4, 4, 1, 0, 0, 0]]
)
def test_dominant_of_known_spectrum_keeps_its_sign(spectrum):
    a = symmetric(spectrum)
    result = dominant_eigenvalue(lambda v: a @ v, START, 1e-10, 500)
    assert result.value == pytest.approx(spectrum[0], rel=1e-8)
    assert result.residual < 1e-3 and result.products < 500


def test_looser_takes_fewer_products_and_stays_within_its_residual():
    a = symmetric([5, 4.5, 2, 1, 0, -1])
    loose = dominant_eigenvalue(lambda v: a @ v, START, 1e-2)
    exact = dominant_eigenvalue(lambda v: a @ v, START, 1e-12, 1000)
    assert loose.products < exact.products
    nearest = np.abs(np.linalg.eigvalsh(a) - loose.value).min()
    assert nearest <= loose.residual * abs(loose.value)


def test_at_most_so_many_products():
    a = symmetric([5, -5, 2, 1, 0, -1])
    calls = []

    def product(v):
        calls.append(v)
        return a @ v

    result = dominant_eigenvalue(product, START, 0, 7)
    assert result.products == len(calls) == 7
    assert result.residual > 0.1  # +5 and -5: it cannot settle, and says so


def test_matrix_of_zeros():
    result = dominant_eigenvalue(np.zeros_like, START)
    assert (result.value, result.residual, result.products) == (0, 0, 1)


def test_product_with_the_hessian_of_a_quadratic_and_a_sine():
    """L = p^T A p / 2 + sum sin p, p all of alpha; w and seed add nothing."""
    a = symmetric([5, 3, 2, 1, 0, -1])

    def loss(w, alpha, batch, seed):
        p = tf.concat([tf.reshape(part, [-1]) for part in alpha], 0)
        value = tf.tensordot(p, tf.linalg.matvec(a, p), 1) / 2
        return w[0] + batch * value + tf.reduce_sum(tf.sin(p)), None

    p, v = RNG.standard_normal((2, 6))
    alpha = [tf.constant(p[:2]), tf.constant(p[2:].reshape(2, 2))]
    along = [tf.constant(v[:2]), tf.constant(v[2:].reshape(2, 2))]
    ours = hessian_product(
        loss, [tf.constant(2.0, tf.float64)], alpha, 3.0, None, along
    )
    flat = np.concatenate([np.ravel(part) for part in ours])
    np.testing.assert_allclose(flat, 3 * a @ v - np.sin(p) * v)


def test_alpha_without_effect_gives_zeros():
    alpha = [tf.ones([2, 3])]
    product = hessian_product(
        lambda w, alpha, batch, seed: (tf.reduce_sum(w[0]), None),
        [tf.ones([2])],
        alpha,
        None,
        None,
        alpha,
    )
    np.testing.assert_array_equal(product[0], np.zeros([2, 3]))
