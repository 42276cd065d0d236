"""Draws the worths of a search's evaluations and the best one so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 110
DEPTH = 4.0  # of the picture, in distances from the median to the best


def draw_evaluations(worths: Sequence[float], measure: str) -> Figure:
    """Draws worth and incumbent against the number of evaluations.

    A few hopeless genotypes would press all others into one line. Those far
    below the median stand at the lower end, as triangles.

    Args:
      worths: of all evaluations in their order; higher is better.
      measure: what a worth is, for the axis.
    """
    figure = Figure((7, 4), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    y = np.asarray(worths, np.float64)
    numbers, low = np.arange(1, len(y) + 1), lowest(y)
    inside = y >= low
    axes.plot(numbers[inside], y[inside], ".", color="#8fb3d9", label="worth")
    if not inside.all():
        bottom = np.full((~inside).sum(), low)
        axes.plot(
            numbers[~inside],
            bottom,
            "v",
            color="#c2c2c2",
            markersize=5,
            label="worth, below the picture",
        )
    axes.step(
        numbers,
        np.maximum.accumulate(y).clip(low),
        where="post",
        color="#1f5fa8",
        label="incumbent",
    )
    axes.set(xlabel="evaluations", ylabel=measure)
    axes.margins(x=0.02)
    axes.legend(loc="lower right")
    return figure


def lowest(worths: np.ndarray) -> float:
    """Returns the lower end of the picture's vertical axis."""
    best = worths.max()
    return float(max(worths.min(), best - DEPTH * (best - np.median(worths))))
