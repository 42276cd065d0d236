"""Draws points of two objectives and the staircase of each front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

DPI = 110
MARKERS = "os^Dv"
THOUSANDS = 1e4
"""An axis that ends above this has units: 20M."""

Points = Sequence[Sequence[float]] | np.ndarray


def new_figure(panels: int):
    """Returns a figure and its axes side by side."""
    figure = Figure((6.5 * panels, 4.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, panels, squeeze=False)[0]


def draw_front(
    axes,
    series: Mapping[str, tuple[Points, Points]],
    labels: tuple[str, str],
    reference: Sequence[float] | np.ndarray | None = None,
) -> None:
    """Draws points faintly, and the front of each series as a staircase.

    Args:
      axes: to draw into.
      series: by name (all points [N, 2], those on its front [F, 2] by the first
        objective).
      labels: of the two objectives.
      reference: point of the hypervolume, marked if given.
    """
    for place, (name, (points, front)) in enumerate(series.items()):
        colour, marker = f"C{place % 10}", MARKERS[place // 10 % len(MARKERS)]
        x, y = np.asarray(points, np.float64).reshape(-1, 2).T
        axes.plot(x, y, marker, color=colour, alpha=0.25, markersize=4)
        x, y = np.asarray(front, np.float64).reshape(-1, 2).T
        axes.step(x, y, where="post", color=colour, lw=1.3)
        axes.plot(x, y, marker, color=colour, markersize=6, label=name)
    if reference is not None:
        axes.plot(*reference, "x", color="black", label="reference point")
    axes.set(xlabel=labels[0], ylabel=labels[1])
    for axis, (_, largest) in (
        (axes.xaxis, axes.get_xlim()),
        (axes.yaxis, axes.get_ylim()),
    ):
        if largest >= THOUSANDS:
            axis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(alpha=0.3)
    legend = axes.legend(fontsize=8, framealpha=0.9)
    for text in legend.get_texts():
        text.set_parse_math(False)
