"""Computes what random search finds, exactly."""

from __future__ import annotations

import numpy as np

from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED, Table


def columns(table: Table) -> np.ndarray:
    """Returns the (validation, true) accuracy of every cell, percent [15625, 2]."""
    every = np.array(list(table.accuracies.values()))
    return every[:, [ACCURACIES.index(n) for n in (SEARCHED, RANKED)]]


def expected_best(chooses: np.ndarray, true: np.ndarray, count: int) -> float:
    """Returns the exact expectation of random search's result.

    Of n cells drawn with replacement the chosen one is cell i, of N in the order of
    `chooses`, with probability (i/N)^n - ((i-1)/N)^n.

    Args:
      chooses: [cells], the number whose largest is chosen.
      true: [cells], the number that the choice has.
      count: draws.
    """
    ordered = true[np.argsort(chooses, kind="stable")]
    shares = np.arange(len(ordered) + 1) / len(ordered)
    return float(np.diff(shares**count) @ ordered)
