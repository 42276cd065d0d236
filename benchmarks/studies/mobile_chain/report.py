"""Draws and tabulates the chains of benchmarks/studies/mobile_chain/measure.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

LOOKS = {
    "searched": ("#1f5fa8", "o", "searched with --cost=latency"),
    "MobileNetV2": ("#c8641a", "s", "MobileNetV2 of another width"),
    "random": ("#8a8a8a", "x", "random chains of that latency"),
}
"""Colour, marker and words of each kind."""


def kind_of(row: dict) -> str:
    """Returns the kind of a line's network: random chains are one kind."""
    return row["kind"].partition("_")[0]


def draw(rows: Sequence[dict]) -> Figure:
    """Draws test accuracy, percent, against measured milliseconds."""
    figure = Figure((6.5, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for target in sorted({float(row["target"]) for row in rows}):
        axes.axvline(target, color="#d0d0d0", lw=1, ls="--", zorder=0)
    for kind, (colour, marker, words) in LOOKS.items():
        own = [row for row in rows if kind_of(row) == kind]
        times = [row["measured_ms"] for row in own]
        accuracies = [row["test_accuracy"] for row in own]
        axes.plot(times, accuracies, marker, color=colour, label=words)
    axes.set(xlabel="measured latency, ms (log scale)", ylabel="test accuracy, %")
    axes.set_xscale("log")
    for place in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        place(StrMethodFormatter("{x:g}"))
    axes.set_title("dashed: the targets", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    return figure


def markdown(rows: Sequence[dict]) -> str:
    """Returns a row for each target and kind of network, and the table's error."""
    lines = [
        "| target, ms | network | width | predicted, ms | measured, ms | "
        "at the table's speed, ms | multiply-adds, millions | parameters, thousands | "
        "test accuracy, % |",
        "|---" * 9 + "|",
    ]
    for target in sorted({row["target"] for row in rows}, key=float):
        for kind in LOOKS:
            own = [r for r in rows if r["target"] == target and kind_of(r) == kind]
            lines.append(_line(target, kind, own))
    return "\n".join(lines) + f"\n\n{errors(rows)}"


def _line(target: str, kind: str, rows: Sequence[dict]) -> str:
    title = f"{len(rows)} random chains" if kind == "random" else kind
    if not rows:
        return f"| {target} | {title} |" + " not run |" * 7
    width = f"{rows[0]['width_multiplier']:g}"
    predicted = [row["predicted_ms"] for row in rows]
    known = "" if None in predicted else _values(predicted, 3)
    speed = "" if None in predicted else _values(map(at_table_speed, rows), 3)
    cells = [
        target,
        title,
        width,
        known,
        _values((row["measured_ms"] for row in rows), 3),
        speed,
        _values((row["multiply_adds"] / 1e6 for row in rows), 1),
        _values((row["parameters"] / 1e3 for row in rows), 0),
        _values((row["test_accuracy"] for row in rows), 2),
    ]
    return f"| {' | '.join(cells)} |"


def at_table_speed(row: dict) -> float:
    """Returns the milliseconds that a network takes at the speed of the table.

    What the table predicts, times the network's time as a share of the sum of its
    parts, both timed in the same seconds.
    """
    return row["predicted_ms"] * row["to_parts"]


def _values(values: Iterable[float], digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


def errors(rows: Sequence[dict]) -> str:
    """Returns a sentence on how far predictions are from measured times."""
    known = [row for row in rows if row["predicted_ms"] is not None]
    if not known:
        return "No network was predicted and timed."
    predicted, measured = (
        np.array([row[name] for row in known])
        for name in ("predicted_ms", "measured_ms")
    )
    shares = predicted / measured - 1
    sums = 1 / np.array([row["to_parts"] for row in rows]) - 1
    loads = [row["load"] for row in rows]
    return (
        f"{len(known)} predictions: mean absolute error {np.abs(shares).mean():.1%}, "
        f"bias {shares.mean():+.1%} of the measured time. Sums of parts that were "
        f"timed in the same seconds, all {len(rows)} networks: "
        f"{np.abs(sums).mean():.1%}, {sums.mean():+.1%}. Load of the machine when "
        f"they were timed {min(loads):g} to {max(loads):g}."
    )
