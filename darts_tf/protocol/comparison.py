"""Compares experiments, searches, evaluations and published numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.errors import InputError
from darts_tf.protocol import flagfiles, folder
from darts_tf.protocol.plan import METHODS, plan_of, result_of
from darts_tf.protocol.results import gather, operations
from darts_tf.protocol.tables import Row, row_of
from darts_tf.reading import expanded
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import Workdir, read_settings
from darts_tf.space import recurrent

DPI = 110
STARS, DOTS = "*ph", "os^"
"""Markers of published and of measured rows; another one every ten rows."""

PANELS = {
    "cost": "search cost, device-seconds",
    "evaluations": "evaluations",
    "parameters": "parameters",
}
"""What the picture's panels show test errors against, by a row's field."""


Measured = tuple[str, str]
"""The measure ("error" or "perplexity") and the data set."""


def read(path: str) -> tuple[list[Row], Measured]:
    """Returns the rows of an experiment or a run, and what it measures.

    An experiment has a row for each of its cost targets, all others have one. Of a run
    that has not finished yet it holds what is known.

    Raises:
      InputError: it is no folder of an experiment, a search or an evaluation.
    """
    root = expanded(path).absolute()
    stored = read_settings(root)
    if folder.is_experiment(stored):
        plan = plan_of(root, stored)
        flags = plan.contents["evaluate_flags"]
        data = flags.get("dataset", flagfiles.DATASET)
        rows = [row_of(gather(part)) for part in plan.parts]
        return rows, (plan.measure, data)
    if "space" not in stored or not {"strategy", "genotype"} & stored.keys():
        raise InputError(
            f"{root} holds no experiment, search or evaluation; give folders of those"
        )
    row_of_run = _training_row if "genotype" in stored else _search_row
    row = row_of_run(Workdir(root), stored)
    # A search that reads a table has no data set.
    data = str(stored.get("dataset", flagfiles.DATASET))
    return [row], (_measure(stored["space"]), data)


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
    """Draws test error against search cost, evaluations or parameters.

    Parameters only where no row has one of the others. Rows without a test error
    or the number in question are left out.

    Args:
      rows: the table's rows.
      measure: "error" or "perplexity".
    """
    panels = _panels(rows)
    figure = Figure((6.5 * len(panels), 4.8), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, field in zip(grid, panels):
        _panel(axes, rows, field, 1 if measure == "perplexity" else 100)
        axes.set(xscale="log", xlabel=PANELS[field])
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


def _panels(rows: Sequence[Row]) -> list[str]:
    """Returns the fields that tested rows are drawn against; at least one."""
    tested = [row for row in rows if row.test is not None]
    by_search = [
        f for f in ("cost", "evaluations") if any(getattr(r, f) for r in tested)
    ]
    sized = any(row.parameters for row in tested)
    return by_search or (["parameters"] if sized else ["cost"])


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


def _label(workdir: Workdir, words: str, stored: Mapping) -> str:
    """Returns a run's name: the end of its path tells it from others."""
    place = "/".join(workdir.path.parts[-2:])
    return f"{place}: {words}, seed {stored.get('seed')}"


def _training_row(workdir: Workdir, stored: dict) -> Row:
    """Returns the row of a training from scratch (train.evaluate)."""
    result = result_of(workdir) or {}
    test, valid = result.get("test", {}), result.get("valid", {})
    by = _measure(stored["space"])
    return Row(
        name=_label(workdir, Path(str(stored["genotype"])).name, stored),
        test=test.get(by),
        top5=test.get("top5_error"),
        valid=valid.get(by),
        parameters=result.get("parameters"),
        multiply_adds=result.get("multiply_adds"),
        training=_device_seconds(result),
        incomplete=not result,
    )


def _search_row(workdir: Workdir, stored: dict) -> Row:
    """Returns the row of a search, by descent on alpha or with an estimator."""
    result = result_of(workdir) or {}
    strategy = str(stored["strategy"])
    true, worth = result.get("true"), result.get("worth")
    text = _measure(stored["space"]) == "perplexity"
    by_estimator = worth is not None
    seconds = result.get("evaluation_seconds", result.get("seconds"))
    kind = stored.get("estimator") or stored.get("method")
    words = f"{strategy} ({kind})" if kind else strategy
    if by_estimator:
        worth = _perplexity(worth) if text else 1 - worth
    return Row(
        name=_label(workdir, words, stored),
        test=true and 1 - true[RANKED] / 100,
        valid=worth,
        supernet=None if by_estimator else _supernet(workdir, text),
        cost=seconds and seconds * result.get("devices", 1),
        evaluations=result.get("evaluations"),
        operations=operations(str(stored["space"])),
        method=METHODS.get(strategy, strategy),
        incomplete=not result,
    )


def _supernet(workdir: Workdir, text: bool) -> float | None:
    """Returns the error or perplexity of a search's network, after its last epoch."""
    name = "valid/perplexity" if text else "valid/accuracy"
    values = [float(r[name]) for r in read_metrics(workdir.metrics) if name in r]
    if not values:
        return None
    return values[-1] if text else 1 - values[-1]


def _device_seconds(result: Mapping) -> float | None:
    # Results from before there was a number are of one device.
    return result["seconds"] * result.get("devices", 1) if result else None


def _perplexity(worth: float) -> float:
    return math.exp(-worth)


def _measure(space: str) -> str:
    return "perplexity" if space == recurrent.SPACE.name else "error"
