"""Rank correlations with ties, and their confidence intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 2_000  # of a bootstrap


def ranks(values) -> np.ndarray:
    """Returns ranks from 1 for the lowest; equals share the mean of their ranks."""
    values = np.asarray(values, np.float64)
    below = (values[:, np.newaxis] > values).sum(1)
    equal = (values[:, np.newaxis] == values).sum(1)
    return below + (equal + 1) / 2


def spearman(one, other) -> float:
    """Returns Pearson's correlation of the ranks; NaN if either is constant."""
    x, y = (ranks(values) - (len(values) + 1) / 2 for values in (one, other))
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm else float("nan")


def kendall(one, other) -> float:
    """Returns tau-b: pairs in the same order less those in the other one.

    Divided by the geometric mean of the pairs that are not tied in each; NaN
    where either is constant.
    """
    signs = []
    for values in (one, other):
        values = np.asarray(values, np.float64)
        signs.append(np.sign(values[:, np.newaxis] - values))
    x, y = signs
    norm = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / norm) if norm else float("nan")


def interval(
    statistic: Callable[..., float], one, other, share: float = 0.95
) -> tuple[float, float]:
    """Returns (low, high) of a percentile bootstrap over the pairs."""
    one, other = np.asarray(one), np.asarray(other)
    generator = np.random.default_rng(0)
    values = []
    for _ in range(RESAMPLES):
        rows = generator.integers(len(one), size=len(one))
        values.append(statistic(one[rows], other[rows]))
    ends = 50 * (1 - share), 50 * (1 + share)
    low, high = np.nanpercentile(values, ends)
    return float(low), float(high)
