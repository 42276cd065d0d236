"""Draws the paper's figure 3: the quality of each search's cells by its epochs.

In the paper each point is the cell of an epoch after a short training. If none
of them were trained, the points are the true errors of NAS-Bench-201's cells,
or the searches' measurements on their supernets; the title names the source.
For strategies with an estimator they are the evaluations' worths, for random
genotypes the short training of each.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.protocol.plan import RANDOM, Plan, result_of
from darts_tf.run.loop.metrics import read_metrics

DPI = 110
EPOCHS, EVALUATIONS, GENOTYPES = "epochs", "evaluations", "random genotypes"


@dataclasses.dataclass(frozen=True)
class Progress:
    """The data of the picture.

    Attributes:
      curves: by seed (numbers on the x axis, errors in percent or
        perplexities).
      x: the quantity on the x axis.
      source: the origin of the values.
    """

    curves: dict[int, tuple[list[float], list[float]]]
    x: str
    source: str


def progress(plan: Plan) -> Progress:
    """Returns the best data available; see the module."""
    if plan.strategy == RANDOM:
        return Progress(_genotypes(plan), GENOTYPES, "after short training")
    if not plan.relaxed:
        return Progress(_each(plan, _incumbents), EVALUATIONS, "by the estimator")
    text = plan.measure == "perplexity"
    scalar = "perplexity" if text else "accuracy"
    sources = {
        "each cell after short training": _snapshots,
        "true error of each cell": _scalar(f"true/{RANKED}"),
        "of the supernet, no cell was trained": _scalar(f"valid/{scalar}"),
        "of the supernet, on data that it learned from": _scalar(f"union/{scalar}"),
    }
    for source, read in sources.items():
        curves = _each(plan, read)
        if curves:
            return Progress(curves, EPOCHS, source)
    return Progress({}, EPOCHS, "nothing yet")


def best_so_far(values: list[float]) -> np.ndarray:
    """Returns the lowest value up to each place."""
    return np.minimum.accumulate(np.asarray(values, np.float64))


def draw(data: Progress, measure: str, name: str) -> Figure:
    """Draws each seed's values as points and its best so far as a line.

    Args:
      data: the curves to draw.
      measure: "error" or "perplexity".
      name: of the architecture.
    """
    figure = Figure((7, 4.5), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for place, (seed, (x, values)) in enumerate(data.curves.items()):
        colour, best = f"C{place % 10}", best_so_far(values)
        axes.plot(x, values, ".", color=colour, alpha=0.45, markersize=5)
        axes.step(
            x,
            best,
            where="post",
            color=colour,
            lw=1.3,
            marker="o",
            markersize=2.5,
            label=f"seed {seed}",
        )
    if len(data.curves) > 1:
        axes.step(
            *_median(data),
            "--",
            where="post",
            color="black",
            lw=1.5,
            label="median of the best so far",
        )
    unit = "perplexity" if measure == "perplexity" else "error, %"
    true = "true" if "true" in data.source else "validation"
    if "learned from" in data.source:
        true = "training"
    axes.set(
        title=f"{name}\n{data.source}",
        xlabel=data.x,
        ylabel=f"{true} {unit} (lines: best so far)",
    )
    axes.locator_params(axis="x", integer=True)
    axes.grid(alpha=0.3)
    if data.curves:
        axes.legend(fontsize=8, framealpha=0.9)
    return figure


def _median(data: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Returns the median over seeds, at each number that all of them have passed."""
    lines = [(np.asarray(x), best_so_far(v)) for x, v in data.curves.values()]
    numbers = np.unique(np.concatenate([x for x, _ in lines]))
    low, high = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    numbers = numbers[(numbers >= low) & (numbers <= high)]
    at = [best[np.searchsorted(x, numbers, "right") - 1] for x, best in lines]
    return numbers, np.median(at, axis=0)


def _each(plan: Plan, read: Callable) -> dict[int, tuple[list, list]]:
    """Reads each seed's points and leaves out seeds without any."""
    points_by_seed = {seed: read(plan, seed) for seed in plan.seeds}
    return {
        seed: _transpose(points) for seed, points in points_by_seed.items() if points
    }


def _transpose(points: list[tuple[float, float]]) -> tuple[list, list]:
    x, values = zip(*points, strict=True)
    return list(x), list(values)


def _snapshots(plan: Plan, seed: int) -> list[tuple[float, float]]:
    """Returns (epoch, validation) of those cells that have been trained."""
    points = []
    for path in plan.epochs(seed) if plan.values["snapshots"] else ():
        result = result_of(plan.short(plan.add_cell(path)))
        if result:
            epoch = int(path.stem.removeprefix("epoch_"))
            points.append((epoch, _as_measure(plan, result["valid"])))
    return points


def _scalar(name: str) -> Callable:
    """Returns a reader of (epoch, value) for one scalar of a search's epochs."""

    def read(plan: Plan, seed: int) -> list[tuple[float, float]]:
        records = read_metrics(plan.search(seed).metrics)
        return [
            (record["epoch"], _as_error(name, float(record[name])))
            for record in records
            if record["kind"] == "epoch" and name in record
        ]

    return read


def _as_error(name: str, value: float) -> float:
    """Converts an accuracy to percent of error; perplexities stay."""
    if name.endswith("perplexity"):
        return value
    return 100 - value if name.startswith("true/") else 100 * (1 - value)


def _incumbents(plan: Plan, seed: int) -> list[tuple[float, float]]:
    """Returns (evaluations, validation of the genotype evaluated)."""
    records = read_metrics(plan.search(seed).evaluations)
    text = plan.measure == "perplexity"
    return [
        (r["step"], math.exp(-r["worth"]) if text else 100 * (1 - r["worth"]))
        for r in records
    ]


def _genotypes(plan: Plan) -> dict[int, tuple[list, list]]:
    """Returns one curve over all seeds, as of a random search."""
    points = []
    for seed in plan.seeds:
        key = plan.cell_key(seed)
        result = result_of(plan.short(key)) if key else None
        if result:
            points.append((seed + 1, _as_measure(plan, result["valid"])))
    return {0: _transpose(points)} if points else {}


def _as_measure(plan: Plan, valid: dict) -> float:
    value = float(valid[plan.measure])
    return value if plan.measure == "perplexity" else 100 * value
