"""Extrapolation of made-up curves whose end is known."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.estimation import learning_curve as module
from darts_tf.estimation.learning_curve import extrapolate, regression

EPOCHS, CURVES = 50, 200


def pow3(random, n):
    c, a, k = random.uniform((0.5, 0.2, 0.3), (0.98, 0.6, 2.0))
    return c - a * n**-k


def exp3(random, n):
    c, a, k = random.uniform((0.5, 0.2, 0.04), (0.98, 0.6, 0.6))
    return c - a * np.exp(-k * n)


def mmf(random, n):
    """None of the fitted families (Domhan et al. 2015, table 1)."""
    c, a, k, d = random.uniform((0.5, 0.2, 0.1, 1.0), (0.98, 0.6, 0.5, 2.0))
    return c - a / (1 + (k * n) ** d)


def outcomes(family, seen, noise=0.01):
    """(predicted, deviation, what was measured, last seen), each [CURVES]."""
    random, n = np.random.default_rng(0), np.arange(1.0, EPOCHS + 1)
    rows = []
    for _ in range(CURVES):
        y = family(random, n) + noise * random.standard_normal(EPOCHS)
        rows.append((*extrapolate(y[:seen], EPOCHS), y[-1], y[seen - 1]))
    return np.array(rows).T


@pytest.mark.parametrize("family", [pow3, exp3, mmf])
@pytest.mark.parametrize("seen", [5, 15])
def test_the_end_lies_within_the_interval(family, seen):
    mean, deviation, end, last = outcomes(family, seen)
    off = np.abs(mean - end)
    assert 0.88 <= np.mean(off < 2 * deviation) <= 1  # normal: 0.954
    assert np.mean(off < deviation) >= 0.55  # normal: 0.683
    assert np.mean(off) < 0.85 * np.mean(np.abs(last - end))
    assert np.mean(deviation) < 3 * np.sqrt(np.mean(off**2))


@pytest.mark.slow
def test_more_epochs_make_it_surer_and_more_noise_less():
    few, some, many = (outcomes(pow3, seen)[1].mean() for seen in (3, 10, 40))
    assert few > 1.5 * some > 2 * many > 0.02  # its noise is 0.01
    assert outcomes(pow3, 10, noise=0.04)[1].mean() > 1.5 * some


def test_a_curve_that_is_over_stays_where_it_is():
    mean, deviation = extrapolate([0.7] * 20, 40)
    assert mean == pytest.approx(0.7, abs=0.005) and deviation < 0.02


def test_few_images_make_it_unsure():
    shares = [0.4, 0.5, 0.55, 0.58, 0.6]
    surely = extrapolate(shares, 20, images=10_000)[1]
    assert extrapolate(shares, 20, images=50)[1] > 2 * surely


def test_for_one_curve_it_is_the_textbooks_regression():
    """Against the joint normal of all accuracies, conditioned."""
    random, noise = np.random.default_rng(1), 0.05
    f, y = random.uniform(0, 1, 7), random.uniform(0, 1, 6)
    found = regression(y, f[np.newaxis, :6], f[6:], np.array([[noise]]))
    x = np.stack([np.ones(7), -f], 1)
    joint = x @ np.diag(module.PRIOR_DEVIATION**2) @ x.T
    joint += noise**2 * np.eye(7)
    seen, off = joint[:6, :6], y - (x @ module.PRIOR_MEAN)[:6]
    gain = np.linalg.solve(seen, joint[:6, 6])
    expected = (
        -0.5 * off @ np.linalg.solve(seen, off)
        - 0.5 * np.linalg.slogdet(2 * np.pi * seen)[1],
        x[6] @ module.PRIOR_MEAN + gain @ off,
        joint[6, 6] - gain @ joint[:6, 6],
    )
    np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-9)


@pytest.mark.parametrize("seen, epochs", [(1, 5), (5, 5), (6, 5)])
def test_refused(seen, epochs):
    with pytest.raises(InputError, match="at least two epochs"):
        extrapolate([0.5] * seen, epochs)
