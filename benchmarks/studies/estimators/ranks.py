"""Rank correlations, with ties, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 2_000  # of a bootstrap


def ranks(values) -> np.ndarray:
    """From 1 for the lowest on; equals share the mean of their ranks."""
    values = np.asarray(values, np.float64)
    below = (values[:, np.newaxis] > values).sum(1)
    equal = (values[:, np.newaxis] == values).sum(1)
    return below + (equal + 1) / 2


def spearman(one, other) -> float:
    """Pearson's correlation of the ranks; NaN where either is constant."""
    x, y = (ranks(values) - (len(values) + 1) / 2 for values in (one, other))
    norm = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / norm) if norm else float("nan")


def kendall(one, other) -> float:
    """tau-b: pairs in the same order less those in the other one.

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
    """Percentile bootstrap over the pairs: (low, high) around `share`."""
    one, other = np.asarray(one), np.asarray(other)
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        rows = generator.integers(len(one), size=len(one))
        found.append(statistic(one[rows], other[rows]))
    ends = 50 * (1 - share), 50 * (1 + share)
    low, high = np.nanpercentile(found, ends)
    return float(low), float(high)
