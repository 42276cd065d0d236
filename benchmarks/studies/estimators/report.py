"""Makes the tables and the picture of the study of estimators."""

from __future__ import annotations

import json
import pathlib
import statistics

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.studies.estimators.ranks import interval, kendall, spearman
from darts_tf.data.nasbench201_table import RANKED, SEARCHED, Table
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.pictures.evaluations import lowest
from darts_tf.run.workdir import Workdir
from darts_tf.space.architecture_string import from_string, to_string
from darts_tf.space.genotype import Genotype

TABLE = "table, 12 epochs"
PANELS = 3  # of the picture, in a row


def estimates(folder: pathlib.Path, cells: int, table: Table) -> list[dict]:
    """Returns the estimates of a search's first cells, beside the truth.

    One line for each distinct one: architecture, worth, deviation, seconds,
    and the true accuracy in percent.
    """
    lines = {}
    for record in read_metrics(Workdir(folder).evaluations)[:cells]:
        cell = Genotype.from_json(json.dumps(record["genotype"]))
        line = {
            "architecture": to_string(cell),
            "worth": record["worth"],
            "deviation": record["deviation"],
            "seconds": record["seconds"],
            "true": table.lookup(cell)[RANKED],
        }
        lines.setdefault(line["architecture"], line)
    return list(lines.values())


def with_earlier(
    estimates: dict[str, list[dict]], path: pathlib.Path, names: list[str]
) -> dict[str, list[dict]]:
    """Returns estimates by estimator, those of others from a file of lines.

    Args:
      found: of those whose searches are there.
      path: of an earlier report's lines; need not exist.
      names: which estimators are wanted, in their order.
    """
    earlier: dict[str, list[dict]] = {}
    text = path.read_text("utf-8") if path.exists() else ""
    for line in map(json.loads, text.splitlines()):
        earlier.setdefault(line.pop("estimator"), []).append(line)
    every = earlier | estimates
    return {name: every[name] for name in names if name in every}


def published(estimates: dict[str, list[dict]], table: Table) -> list[dict]:
    """Returns the benchmark's validation accuracy of all these cells."""
    every = {
        line["architecture"]: line["true"]
        for lines in estimates.values()
        for line in lines
    }
    return [
        {
            "architecture": string,
            "worth": table.lookup(from_string(string))[SEARCHED] / 100,
            "deviation": None,
            "seconds": None,
            "true": true,
        }
        for string, true in every.items()
    ]


def markdown(estimates: dict[str, list[dict]]) -> str:
    """Returns Markdown, a row for each estimator."""
    rows = [
        "| estimator | cells | Spearman (95 %) | Kendall | seconds an estimate |",
        "|---|---|---|---|---|",
    ]
    for name, lines in estimates.items():
        worths, truth = columns(lines)
        low, high = interval(spearman, worths, truth)
        seconds = [x["seconds"] for x in lines if x["seconds"] is not None]
        cost = f"{statistics.median(seconds):.1f}" if seconds else ""
        rows.append(
            f"| {name} | {len(lines)} | {spearman(worths, truth):.2f} "
            f"({low:.2f} to {high:.2f}) | {kendall(worths, truth):.2f} | "
            f"{cost} |"
        )
    return "\n".join(rows)


def columns(lines: list[dict]) -> tuple[list[float], list[float]]:
    """Returns (worths, true accuracies)."""
    return [x["worth"] for x in lines], [x["true"] for x in lines]


def draw(estimates: dict[str, list[dict]]) -> Figure:
    """Draws truth against worth, a panel for each estimator.

    Cells far below the median stand at the lower end, as triangles.
    """
    high = -(-len(estimates) // PANELS)
    figure = Figure((11, 3.4 * high), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(high, PANELS, squeeze=False).ravel()
    for axes, (name, lines) in zip(panels, estimates.items()):
        worths, truth = map(np.array, columns(lines))
        low = lowest(truth)
        inside = truth >= low
        axes.plot(worths[inside], truth[inside], "o", color="#1f5fa8", markersize=4)
        axes.plot(
            worths[~inside],
            np.full((~inside).sum(), low),
            "v",
            color="#c8641a",
            markersize=5,
        )
        axes.set_title(f"{name}: Spearman {spearman(worths, truth):.2f}", fontsize=10)
        axes.set(xlabel="worth", ylabel="true accuracy, %")
    for axes in panels[len(estimates) :]:
        axes.remove()
    return figure
