"""Fronts of several objectives, and the area that they dominate.

A point is a row of numbers that are all to be small: an error and costs. It dominates
another one that is at least as large everywhere and larger somewhere; the front is what
nothing dominates (Pareto).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MARGIN = 1.1
"""Factor from the largest number on fronts to the reference point's."""


def non_dominated(points: Sequence[Sequence[float]] | np.ndarray) -> list[int]:
    """Returns the places of the points on the front, by the first objective.

    Of equal points the earliest is on it.

    Args:
      points: numbers [points, objectives].
    """
    rows = np.asarray(points, np.float64)
    places: list[int] = []
    if not len(rows):
        return places
    for place in np.lexsort(rows.T[::-1]):  # no later one dominates an earlier one
        if not (rows[places] <= rows[place]).all(axis=1).any():
            places.append(int(place))
    return places


def hypervolume(
    points: Sequence[Sequence[float]] | np.ndarray,
    reference: Sequence[float] | np.ndarray,
) -> float:
    """Returns the area that points dominate below a reference point, exactly.

    Optuna's own function is private to it, and two objectives are a sum of rectangles.

    Args:
      points: numbers [points, 2].
      reference: a number of each objective; points beyond it add nothing.
    """
    area, (limit, height) = 0.0, reference
    for x, y in sorted((float(x), float(y)) for x, y in points):
        if x < limit and y < height:
            area += (limit - x) * (height - y)
            height = y
    return area


def reference_point(points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """Returns MARGIN times the largest number of each objective, [objectives].

    Args:
      points: those on all fronts that are compared, [points, objectives]. What no front
        has would only move the reference point away.
    """
    return MARGIN * np.asarray(points, np.float64).max(axis=0)
