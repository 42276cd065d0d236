"""Draws the picture of benchmarks/studies/strategies/measure.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = ("#5a5a5a", "#1f5fa8", "#c8641a", "#2b7a3a", "#8a55b5")
LOWEST = 86.0  # percent: a single random cell is in the mean not far above
NEAR_THE_END = 92.8  # percent: where the second half of a search plays


def draw(
    curves: Mapping[str, np.ndarray],
    expected: np.ndarray,
    every: np.ndarray,
    by_descent: Mapping[str, Sequence[float]],
) -> Figure:
    """Draws the incumbent's true accuracy against evaluations, and enlarged.

    Args:
      curves: by name [seeds, evaluations], percent.
      expected: of random search [evaluations].
      every: (validation, true) accuracy of all cells [cells, 2].
      by_descent: true accuracies of the cells that searches of another kind
        ended with, by method: lines across, as they ask nobody.
    """
    figure = Figure((12, 5.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(4, 5))
    for axes in (left, right):
        _fill(axes, curves, expected, every)
    for number, (method, accuracies) in enumerate(by_descent.items()):
        left.axhline(
            np.mean(accuracies),
            color=f"C{number}",
            ls="-.",
            lw=1,
            label=f"{method}, {len(accuracies)} seeds (descent on alpha)",
        )
    lowest = min([LOWEST, *(np.mean(f) for f in by_descent.values())])
    last, top = len(expected), every[:, 1].max() + 0.1
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n <= last]
    left.set(xscale="log", xlim=(1, last), ylim=(lowest - 0.3, top + 0.3))
    left.set_xticks(ticks, map(str, ticks))
    left.minorticks_off()
    left.set_ylabel("true CIFAR-10 accuracy of the incumbent, %")
    right.set(xlim=(min(10, last - 1), last), ylim=(NEAR_THE_END, top))
    for axes in (left, right):
        axes.set_xlabel("evaluations")
    seeds = len(next(iter(curves.values())))
    right.set_title(
        f"mean of {seeds} seeds; bands: the middle half of them", fontsize=10
    )
    figure.legend(
        *left.get_legend_handles_labels(),
        ncols=4,
        fontsize=8,
        loc="outside lower center",
        frameon=False,
    )
    return figure


def _fill(axes, curves, expected: np.ndarray, every: np.ndarray) -> None:
    numbers = np.arange(1, len(expected) + 1)
    for values, colour in zip(curves.values(), COLOURS):
        low, high = np.percentile(values, [25, 75], axis=0)
        axes.fill_between(numbers, low, high, color=colour, alpha=0.1, lw=0)
    for number, (name, values) in enumerate(curves.items()):
        axes.plot(
            numbers,
            values.mean(axis=0),
            color=COLOURS[number],
            lw=1.7,
            label=name,
            zorder=4 - 0.1 * number,
        )
    axes.plot(
        numbers,
        expected,
        "--",
        color=COLOURS[0],
        lw=1.2,
        label="random search, expectation",
    )
    best, chosen = every[:, 1].max(), every[every[:, 0].argmax(), 1]
    same = " (also by what a search is told)" if chosen == best else ""
    axes.axhline(best, ls="--", color="black", lw=1, label=f"best cell{same}")
    if not same:
        axes.axhline(
            chosen,
            ls=":",
            color="black",
            lw=1,
            label="best cell by what a search is told",
        )
