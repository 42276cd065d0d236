"""Makes the table and the picture of benchmarks/speed/growth.py."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

MIDDLE = {
    "channels": 8,
    "layers": 5,
    "batch_size": 16,
    "space": "darts_conv",
    "method": "first_order",
}
CANDIDATES = {"s2": 2, "s3": 3, "darts_conv_nonzero": 7, "darts_conv": 8}
"""Spaces, by the number of candidates on each edge."""

SWEEPS = {
    "channels": (4, 8, 16, 32),
    "layers": (3, 5, 8, 12),
    "batch_size": (8, 16, 32, 64),
    "space": tuple(CANDIDATES),
}
TITLES = {"layers": "cells", "batch_size": "batch", "space": "candidates"}
MEASURES = {
    "step_cpu": "CPU seconds a step",
    "peak_gb": "peak memory, GB",
    "first_step_cpu": "CPU seconds to the first step",
}


def sweep(rows: list[dict], name: str) -> list[dict]:
    """Returns the rows in which only this size differs from MIDDLE, in order."""
    rest = {n: v for n, v in MIDDLE.items() if n != name}
    chosen = [row for row in rows if rest.items() <= row.items()]
    chosen = [row for row in chosen if row[name] in SWEEPS[name]]
    return sorted(chosen, key=lambda row: size(row, name))


def size(row: dict, name: str) -> int:
    """Returns a size as a number."""
    return CANDIDATES[row[name]] if name == "space" else row[name]


def exponent(rows: list[dict], name: str, measure: str) -> float:
    """Fits a * size**b to a measure, and returns b."""
    sizes = [size(row, name) for row in rows]
    values = [row[measure] for row in rows]
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def table(rows: list[dict]) -> str:
    """Returns Markdown: the exponents, and the values they were fitted to."""
    lines = [
        f"| size | values | {' | '.join(MEASURES.values())} |",
        "|---" * (2 + len(MEASURES)) + "|",
    ]
    for name in SWEEPS:
        swept = sweep(rows, name)
        cells = [
            f"{exponent(swept, name, m):.2f} "
            f"({', '.join(f'{row[m]:.3g}' for row in swept)})"
            for m in MEASURES
        ]
        values = ", ".join(str(size(row, name)) for row in swept)
        title = TITLES.get(name, name)
        lines.append(f"| {title} | {values} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(rows: list[dict]) -> Figure:
    """Draws time and memory, a panel for each size, both axes logarithmic."""
    figure = Figure((11, 3.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    measures = ("step_cpu", "peak_gb")
    for panel, name in zip(figure.subplots(1, len(SWEEPS)), SWEEPS):
        swept = sweep(rows, name)
        sizes = [size(row, name) for row in swept]
        for number, measure in enumerate(measures):
            label = f"{MEASURES[measure]}: {exponent(swept, name, measure):.2f}"
            values = [row[measure] for row in swept]
            panel.plot(sizes, values, "os"[number] + "-", label=label)
        panel.set(xscale="log", yscale="log", xlabel=TITLES.get(name, name))
        panel.set_xticks(sizes, map(str, sizes), minor=False)
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.legend(fontsize=6, title="exponents", title_fontsize=6)
    return figure
