"""Compares experiments, searches and published numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.errors import InputError
from darts_tf.protocol import flagfiles, folder
from darts_tf.protocol.plan import METHODS, plan_of, result_of
from darts_tf.protocol.results import gather, operations
from darts_tf.protocol.tables import Row, row_of
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.space import recurrent

DPI = 110
STARS, DOTS = "*ph", "os^"
"""Markers of published and of measured rows; another one every ten rows."""

COST, EVALUATIONS = "search cost, device-seconds", "evaluations"


Measured = tuple[str, str]
"""The measure ("error" or "perplexity") and the data set."""


def read(path: str) -> tuple[Row, Measured]:
    """Returns the row of an experiment or a search, and what it measures.

    Raises:
      InputError: it is neither, or a search without an estimator.
    """
    root = Path(path).expanduser().absolute()
    stored = read_settings(root)
    if folder.is_experiment(stored):
        plan = plan_of(root, stored)
        flags = plan.contents["evaluate_flags"]
        data = flags.get("dataset", flagfiles.DATASET)
        return row_of(gather(plan)), (plan.measure, data)
    row = _search_row(Workdir(root), stored)
    # A search that reads a table has no data set.
    data = stored.get("dataset", flagfiles.DATASET)
    return row, (_measure(stored["space"]), data)


def same_measure(all_measured: Sequence[Measured]) -> str:
    """Returns the measure that all rows share.

    Raises:
      InputError: not all are on one data set.
    """
    if len(set(all_measured)) > 1:
        names = sorted({f"{data} ({by})" for by, data in all_measured})
        raise InputError(
            f"`experiments` and `published` mix data sets, whose numbers do "
            f"not compare: {', '.join(names)}; give those of one"
        )
    return all_measured[0][0]


def sources(rows: Sequence[Row]) -> str:
    """Returns lines that name the source of each published row, or ""."""
    names_of: dict[str, list[str]] = {}
    for row in rows:
        if row.published:
            names_of.setdefault(row.published, []).append(row.name)
    if not names_of:
        return ""
    lines = [f"- {source}: {', '.join(n)}" for source, n in names_of.items()]
    return "\n".join(["\n\nPublished (costs are GPU-days):\n", *lines])


def draw(rows: Sequence[Row], measure: str) -> Figure:
    """Draws test error against search cost and the number of evaluations.

    Rows without a test error or the number in question are left out.

    Args:
      rows: the table's rows.
      measure: "error" or "perplexity".
    """
    panels = [(COST, "cost"), (EVALUATIONS, "evaluations")]
    if not any(row.evaluations for row in rows):
        panels.pop()
    figure = Figure((6.5 * len(panels), 4.8), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, field) in zip(grid, panels):
        _panel(axes, rows, field, 1 if measure == "perplexity" else 100)
        axes.set(xscale="log", xlabel=title)
        axes.grid(alpha=0.3)
    unit = ", %" if measure == "error" else ""
    grid[0].set_ylabel(f"test {measure}{unit} (bars: standard deviation)")
    handles, names = [], []
    for axes in grid:
        for handle, name in zip(*axes.get_legend_handles_labels()):
            if name not in names:
                handles.append(handle)
                names.append(name)
    if names:
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=2,
            fontsize=7,
            frameon=False,
        )
    return figure


def _panel(axes, rows: Sequence[Row], field: str, unit: float) -> None:
    for place, row in enumerate(rows):
        x = getattr(row, field)
        if row.test is None or not x:
            continue
        mark = " (published)" if row.published else ""
        axes.errorbar(
            x,
            unit * row.test,
            yerr=row.deviation and unit * row.deviation,
            fmt=(STARS if row.published else DOTS)[place // 10 % 3],
            color=f"C{place % 10}",
            markerfacecolor="none" if row.published else None,
            markersize=10 if row.published else 7,
            capsize=3,
            label=row.name + mark,
        )


def _search_row(workdir: Workdir, stored: dict) -> Row:
    result = result_of(workdir)
    strategy = str(stored.get("strategy"))
    if result is None or "evaluations" not in result:
        raise InputError(
            f"{workdir.path} is neither an experiment nor a finished search "
            f"with an estimator (`strategy=random` and others); compare searches "
            f"by descent through experiments (train.experiment)"
        )
    true = result.get("true")
    worth = result["worth"]
    text = _measure(stored["space"]) == "perplexity"
    return Row(
        name=f"{strategy}, seed {result['seed']} ({stored['estimator']})",
        test=true and 1 - true[RANKED] / 100,
        valid=_perplexity(worth) if text else 1 - worth,
        cost=result["evaluation_seconds"] * result.get("devices", 1),
        evaluations=result["evaluations"],
        operations=operations(stored["space"]),
        method=METHODS.get(strategy, strategy),
    )


def _perplexity(worth: float) -> float:
    return math.exp(-worth)


def _measure(space: str) -> str:
    return "perplexity" if space == recurrent.SPACE.name else "error"
