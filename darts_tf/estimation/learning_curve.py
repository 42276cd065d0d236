"""Extrapolates a learning curve from its first epochs, with a deviation.

After Domhan et al. 2015, who average parametric families of increasing,
saturating curves over the posterior of their parameters. Here every curve is

    y(n) = c - a f(n) + noise,   n epochs, f falling from about 1 to 0

with f(n) = n^-k (their pow3), exp(-k n^d) (exp3 where d = 1, Janoschek's and
Weibull's for d below 1) or log 2 / log(n + 1) (ilog2). For a given f, and a
given deviation of the noise, it is linear in (c, a), so with normal priors
the evidence of the seen part and the prediction are known in closed form;
over f, k, d and the noise they are summed on a grid. No sampling, no local
optimum, the same answer each time.

Limit: a schedule may let the curve rise at its end. With a cosine to 0
accuracy rises once more when the rate becomes small; the families do not
include that, nor does the deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from darts_tf.errors import InputError

PRIOR_MEAN = np.array([0.6, 0.4])
PRIOR_DEVIATION = np.array([0.4, 0.4])
"""Prior of (c, a), for shares of correct answers."""

# Shapes: k of pow3; k of the exponentials, with n in epochs or in tenths of
# all epochs; d of the exponentials.
POWERS = np.geomspace(0.1, 4.0, 14)
RATES = np.geomspace(0.05, 3.0, 14)
STRETCHES = np.array([0.4, 0.7, 1.0])

NOISE_RANGE = 0.002, 0.1
"""Smallest and largest deviation of an epoch's accuracy, a priori."""


def extrapolate(
    shares: Sequence[float], epochs: int, images: int | None = None
) -> tuple[float, float]:
    """Predicts the accuracy that will be measured after `epochs`.

    Args:
      shares: of correct answers after epochs 1, 2, ... so far.
      epochs: when the training ends.
      images: number of images that accuracies are measured on, if known: their
        noise is at least binomial.

    Returns:
      (mean, standard deviation), the former within [0, 1]. The deviation is
      that of what will be measured, its noise included.

    Raises:
      InputError: fewer than two shares, or none left to extrapolate to.
    """
    y = np.asarray(shares, np.float64)
    if not 2 <= len(y) < epochs:
        raise InputError(
            f"a curve is extrapolated from at least two epochs to a later "
            f"one; received {len(y)} of {epochs}"
        )
    priors, f = curves(len(y), epochs)
    noises = _noises(y, images)[:, np.newaxis]
    evidence, means, variances = regression(y, f[:, :-1], f[:, -1], noises)
    logs = np.log(priors) + evidence
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    mean = (weights * means).sum()
    variance = (weights * (variances + (means - mean) ** 2)).sum()
    return float(np.clip(mean, 0, 1)), float(np.sqrt(variance))


def _noises(y: np.ndarray, images: int | None) -> np.ndarray:
    """Returns deviations of the noise on a grid, [V]."""
    low, high = NOISE_RANGE
    if images:
        share = np.clip(y.mean(), 0.02, 0.98)
        low = max(low, float(np.sqrt(share * (1 - share) / images)))
    return np.geomspace(low, max(high, 2 * low), 8)


def curves(seen: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns (prior shares [F], f after each seen epoch and the last [F, N+1])."""
    n = np.append(np.arange(1.0, seen + 1), epochs)
    rates = np.concatenate([RATES, RATES * 10 / epochs])
    families = [
        [n**-k for k in POWERS],
        [np.exp(-k * (n**d - 1)) for k in rates for d in STRETCHES],
        [np.log(2) / np.log(n + 1)],
    ]
    shares = [1 / len(families) / len(f) for f in families for _ in f]
    return np.array(shares), np.concatenate([np.array(f) for f in families])


def regression(y, f, end, noise):
    """Regresses y on (1, -f), Bayesian and linear, for many f and noises.

    Args:
      y: [N].
      f: [F, N].
      end: f at the end, [F].
      noise: deviations [V, 1].

    Returns:
      (log evidence, mean of y at the end, its variance with the noise), each
      [V, F].
    """
    x = np.stack([np.ones_like(f), -f], axis=-1)  # [F, N, 2]
    at_end = np.stack([np.ones_like(end), -end], axis=-1)  # [F, 2]
    prior, off = PRIOR_DEVIATION**-2.0, y - x @ PRIOR_MEAN  # off: [F, N]
    inverse = noise**-2.0
    scatter = np.einsum("fni,fnj->fij", x, x)
    precision = np.diag(prior) + inverse[..., np.newaxis, np.newaxis] * scatter
    pull = inverse[..., np.newaxis] * np.einsum("fni,fn->fi", x, off)
    covariance = np.linalg.inv(precision)  # of (c, a), [V, F, 2, 2]
    shift = np.einsum("vfij,vfj->vfi", covariance, pull)
    log_determinant = (
        len(y) * np.log(2 * np.pi * noise**2)
        + np.linalg.slogdet(precision)[1]
        - np.log(prior).sum()
    )
    squares = inverse * (off**2).sum(-1) - (pull * shift).sum(-1)
    mean = ((PRIOR_MEAN + shift) * at_end).sum(-1)
    spread = np.einsum("fi,vfij,fj->vf", at_end, covariance, at_end)
    return -0.5 * (squares + log_determinant), mean, spread + noise**2
