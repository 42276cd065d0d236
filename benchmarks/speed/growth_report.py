"""The table and the picture of benchmarks/speed/growth.py."""

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
    """The rows in which only this size differs from MIDDLE, in order."""
    rest = {n: v for n, v in MIDDLE.items() if n != name}
    found = [row for row in rows if rest.items() <= row.items()]
    found = [row for row in found if row[name] in SWEEPS[name]]
    return sorted(found, key=lambda row: size(row, name))


def size(row: dict, name: str) -> int:
    """A size as a number."""
    return CANDIDATES[row[name]] if name == "space" else row[name]


def exponent(rows: list[dict], name: str, measure: str) -> float:
    """b of a * size**b."""
    sizes = [size(row, name) for row in rows]
    values = [row[measure] for row in rows]
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def table(rows: list[dict]) -> str:
    """Markdown: the exponents, and what they were fitted to."""
    lines = [
        f"| size | values | {' | '.join(MEASURES.values())} |",
        "|---" * (2 + len(MEASURES)) + "|",
    ]
    for name in SWEEPS:
        own = sweep(rows, name)
        cells = [
            f"{exponent(own, name, m):.2f} "
            f"({', '.join(f'{row[m]:.3g}' for row in own)})"
            for m in MEASURES
        ]
        values = ", ".join(str(size(row, name)) for row in own)
        title = TITLES.get(name, name)
        lines.append(f"| {title} | {values} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(rows: list[dict]) -> Figure:
    """A panel for each size, both axes logarithmic; time and memory."""
    figure = Figure((11, 3.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    shown = ("step_cpu", "peak_gb")
    for panel, name in zip(figure.subplots(1, len(SWEEPS)), SWEEPS):
        own = sweep(rows, name)
        sizes = [size(row, name) for row in own]
        for number, measure in enumerate(shown):
            label = f"{MEASURES[measure]}: {exponent(own, name, measure):.2f}"
            values = [row[measure] for row in own]
            panel.plot(sizes, values, "os"[number] + "-", label=label)
        panel.set(xscale="log", yscale="log", xlabel=TITLES.get(name, name))
        panel.set_xticks(sizes, map(str, sizes), minor=False)
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.legend(fontsize=6, title="exponents", title_fontsize=6)
    return figure
