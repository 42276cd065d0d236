"""Draws the losses, accuracies and perplexities of a run over its epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 160
"""Twice the pixels of the screen, on which pictures are shown at half size."""

SCALE = 0.5
MEASURES = ("loss", "accuracy", "perplexity")
COLOURS = {"train": "#8fb3d9", "valid": "#b3401f", "union": "#7b4199"}
WORDS = {
    "train": "training",
    "valid": "validation",
    "union": "training and validation together",
}
LARGEST = 20.0
"""Perplexities of the first steps are as large as the vocabulary; a chart shows
at most so many times the smallest."""

Curve = tuple[list[float], list[float]]
"""Epochs, and a number at each."""


def curves(records: Sequence[Mapping]) -> dict[str, Curve]:
    """Returns every scalar over the epochs, from the records of metrics.jsonl.

    Numbers that are not finite are left out.
    """
    steps = steps_per_epoch(records)
    points: dict[str, Curve] = {}
    for record in records:
        for name, value in record.items():
            number = _number(value)
            if name in ("kind", "step", "epoch", "seconds") or number is None:
                continue
            x, y = points.setdefault(name, ([], []))
            x.append(record["step"] / steps)
            y.append(number)
    return points


def steps_per_epoch(records: Sequence[Mapping]) -> float:
    """Returns the steps of an epoch; before the end of the first one, 1."""
    for record in records:
        if record.get("kind") == "epoch" and record.get("epoch"):
            return record["step"] / record["epoch"]
    return 1.0


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def draw_measures(points: Mapping[str, Curve]) -> Figure | None:
    """Draws a chart for each measure that a run has; None where it has none.

    Args:
      points: by name, as "train/loss".
    """
    groups = {
        measure: {n: c for n, c in points.items() if _is(n, measure)}
        for measure in MEASURES
    }
    groups = {measure: group for measure, group in groups.items() if group}
    if not groups:
        return None
    figure, grid = _grid(len(groups))
    for axes, (measure, group) in zip(grid, groups.items()):
        for name, (x, y) in group.items():
            part = name.partition("/")[0]
            _line(axes, x, y, WORDS[part], COLOURS[part])
        if measure == "perplexity":
            _limit(axes, group.values())
        _finish(axes, measure)
    return figure


def draw_runs(runs: Mapping[str, Mapping[str, Curve]]) -> Figure | None:
    """Draws the validation of several runs into one chart for each measure.

    Args:
      runs: by the run's name its curves. Of a run without a validation part
        the training's are drawn, dashed.
    """
    shown = {}
    for measure in MEASURES:
        group = {}
        for run, points in runs.items():
            for part in ("valid", "train"):
                if f"{part}/{measure}" in points:
                    group[run] = part, points[f"{part}/{measure}"]
                    break
        if group:
            shown[measure] = group
    if not shown:
        return None
    figure, grid = _grid(len(shown))
    places = {run: place for place, run in enumerate(runs)}
    for axes, (measure, group) in zip(grid, shown.items()):
        for run, (part, (x, y)) in group.items():
            style = "-" if part == "valid" else "--"
            _line(axes, x, y, run, f"C{places[run] % 10}", style)
        if measure == "perplexity":
            _limit(axes, [curve for _, curve in group.values()])
        _finish(axes, measure)
    return figure


def draw_entropies(points: Mapping[str, Curve], bounds: Mapping[str, float]):
    """Draws the entropy of each cell's mixing weights below its upper bound.

    Args:
      points: by name, as "entropy/normal"; others are passed over.
      bounds: the logarithm of the number of candidates, by cell.

    Returns:
      a Figure; None where there are no entropies.
    """
    names = [name for name in bounds if f"entropy/{name}" in points]
    if not names:
        return None
    figure, (axes,) = _grid(1)
    for place, name in enumerate(names):
        _line(axes, *points[f"entropy/{name}"], f"{name} cell", f"C{place}")
    for bound in sorted({bounds[name] for name in names}):
        label = f"upper bound, {bound:.3f}: all weights equal"
        axes.axhline(bound, color="#707070", lw=1, linestyle=":", label=label)
    _finish(axes, "entropy of the mixing weights, nats")
    return figure


def _is(name: str, measure: str) -> bool:
    part, _, rest = name.partition("/")
    return rest == measure and part in WORDS


def _grid(count: int):
    figure = Figure((5.2 * count, 3.3), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, count, squeeze=False)[0]


def _line(axes, x, y, label: str, colour: str, style: str = "-") -> None:
    mark = "o" if len(x) <= 30 else None
    axes.plot(
        x, y, style, color=colour, label=label, lw=1.5, marker=mark, markersize=2.5
    )


def _limit(axes, group) -> None:
    """Leaves out what would press the rest of the chart into one line."""
    values = [value for _, y in group for value in y]
    low, high = min(values), max(values)
    axes.set_ylim(top=min(1.05 * high, LARGEST * low))


def _finish(axes, title: str) -> None:
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("epochs")
    axes.grid(alpha=0.3)
    legend = axes.legend(fontsize=8, framealpha=0.9)
    for text in legend.get_texts():
        text.set_parse_math(False)
