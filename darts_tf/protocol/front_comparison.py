"""Puts runs that know costs on common fronts: an error or a cost against a cost.

Errors of different origin do not compare, so each has a panel of its own: test errors
of trainings from scratch, validation errors by an estimator, true errors of
NAS-Bench-201. A front of each run with several points is drawn, and of all together.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from darts_tf.config import Cost, names
from darts_tf.config_rules import ACCURACY, COST_TITLES
from darts_tf.data.nasbench201_table import RANKED
from darts_tf.errors import InputError
from darts_tf.protocol import folder
from darts_tf.protocol.fronts import (
    MARGIN,
    hypervolume,
    non_dominated,
    reference_point,
)
from darts_tf.protocol.plan import Plan, plan_of, result_of, selected
from darts_tf.reading import expanded
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.pictures import fronts
from darts_tf.run.workdir import Workdir, read_settings

ALL = "all together"
EVALUATIONS = "evaluations"
LITERT = "export_litert"
"""The export whose measured milliseconds are a training's latency, in float32."""

TEST, ESTIMATED, TRUE = "test error", "validation error", "true error"
"""The origins of errors: each has a panel."""


@dataclasses.dataclass(frozen=True)
class Series:
    """The points of one run, or of all single trainings.

    Attributes:
      name: of the run.
      origin: TEST, ESTIMATED or TRUE.
      points: numbers by objective, errors (shares) under "accuracy".
    """

    name: str
    origin: str
    points: Sequence[Mapping[str, float]]


def read(paths: Sequence[str]) -> list[Series]:
    """Returns the points of experiments, searches and evaluations that know costs.

    Args:
      paths: their folders.
    """
    series, trained = [], []
    for path in paths:
        root = expanded(path).absolute()
        stored = read_settings(root)
        name = "/".join(root.parts[-2:])
        if folder.is_experiment(stored):
            points = experiment_points(plan_of(root, stored))
            series.append(Series(name, TEST, points))
        elif "genotype" in stored:
            trained += _trained(result_of(Workdir(root)) or {})
        else:
            series += _searched(name, Workdir(root))
    series.append(Series(EVALUATIONS, TEST, trained))
    return [one for one in series if one.points]


def experiment_points(plan: Plan) -> list[dict[str, float]]:
    """Returns a point for each target's cell that has been trained in full.

    Its error is the mean over the seeds.
    """
    points = []
    for part in plan.parts:
        key = selected(part)
        seeds = range(plan.values["evaluate_seeds"])
        results = [result_of(part.full(key, seed)) for seed in seeds] if key else []
        trained = [point for result in results for point in _trained(result or {})]
        if trained:
            mean = float(np.mean([point[ACCURACY] for point in trained]))
            points.append({**trained[0], ACCURACY: mean})
    return points


def _trained(result: Mapping) -> list[dict[str, float]]:
    """Returns the point of a finished training of images; [] for any other."""
    error = result.get("test", {}).get("error")
    known = {
        n: result[n] for n in names(Cost) if isinstance(result.get(n), int | float)
    }
    exports = result.get("latency") or {}
    if LITERT in exports:
        known["latency"] = exports[LITERT]["measured"]
    return [{ACCURACY: error, **known}] if error is not None and known else []


def _searched(name: str, workdir: Workdir) -> list[Series]:
    records = read_metrics(workdir.evaluations) if workdir.evaluations.exists() else []
    points = [
        {ACCURACY: 1 - record["worth"], **record["costs"]}
        for record in records
        if record.get("costs")
    ]
    result = result_of(workdir) or {}
    costs = {cost: row["derived"] for cost, row in result.get("cost", {}).items()}
    true = result.get("true")
    cells = [{ACCURACY: 1 - true[RANKED] / 100, **costs}] if true and costs else []
    return [Series(name, ESTIMATED, points), Series(name, TRUE, cells)]


def objectives(
    series: Sequence[Series], chosen: Sequence[str] | None
) -> tuple[str, str] | None:
    """Returns the two objectives, a cost first; None where nothing can be drawn.

    Args:
      series: of the runs.
      chosen: two names that were asked for; None: accuracy and the first cost that at
        least two points have.

    Raises:
      InputError: no run has both that were asked for.
    """
    points = [point for one in series for point in one.points]
    if chosen is None:
        for cost in names(Cost):
            if sum(cost in point for point in points) > 1:
                return cost, ACCURACY
        return None
    if not any({*chosen} <= point.keys() for point in points):
        raise InputError(
            f"`front={','.join(chosen)}`: no run of `experiments` has both; finished "
            "evaluations have parameters and multiply_adds, searches those that "
            "`objectives` or a limit names"
        )
    x, y = chosen
    return (y, x) if x == ACCURACY else (x, y)


@dataclasses.dataclass(frozen=True)
class Panel:
    """All points of one origin, and the fronts of its runs.

    Attributes:
      title: the origin of errors.
      labels: of both objectives, with units.
      series: by name (points [N, 2], those on the front [F, 2]), all together last
        where there are several.
      reference: point of the hypervolumes.
    """

    title: str
    labels: tuple[str, str]
    series: Mapping[str, tuple[np.ndarray, np.ndarray]]
    reference: np.ndarray

    def share(self, name: str) -> float:
        """Returns a front's hypervolume as a share of the rectangle from zero.

        It is NaN where that is empty: at a reference point without errors.
        """
        front, area = self.series[name][1], float(np.prod(self.reference))
        return hypervolume(front, self.reference) / area if area else math.nan


def panels(series: Sequence[Series], pair: tuple[str, str]) -> list[Panel]:
    """Returns a panel for each origin with at least two points.

    Args:
      series: of the runs.
      pair: the objectives, as `objectives` returns them.
    """
    drawn = []
    for origin in (TEST, ESTIMATED, TRUE):
        rows: dict[str, list] = {}
        for one in series:
            points = [p for p in one.points if {*pair} <= p.keys()]
            if one.origin == origin and points:
                values = [[_value(p, name) for name in pair] for p in points]
                rows.setdefault(one.name, []).extend(values)
        joined = [point for values in rows.values() for point in values]
        if len(joined) < 2:
            continue
        if len(rows) > 1:
            rows[ALL] = joined
        labels = tuple(_label(name, origin) for name in pair)
        by_name = {name: _with_front(values) for name, values in rows.items()}
        assert len(labels) == 2
        reference = reference_point(np.concatenate([f for _, f in by_name.values()]))
        drawn.append(Panel(origin, labels, by_name, reference))
    return drawn


def _value(point: Mapping[str, float], name: str) -> float:
    """Returns a number as it is drawn: errors in percent."""
    return 100 * point[name] if name == ACCURACY else point[name]


def _label(name: str, origin: str) -> str:
    if name == "latency" and origin == TEST:
        return "ms (measured)"
    return f"{origin}, %" if name == ACCURACY else COST_TITLES[name]


def _with_front(values: list) -> tuple[np.ndarray, np.ndarray]:
    points = np.asarray(values, np.float64)
    return points, points[non_dominated(points)]


def draw(drawn: Sequence[Panel]) -> Figure:
    """Draws each panel: points, fronts and the reference point."""
    figure, grid = fronts.new_figure(len(drawn))
    for axes, panel in zip(grid, drawn):
        singles = {n: s for n, s in panel.series.items() if n != ALL or len(s[0]) < 99}
        fronts.draw_front(axes, singles, panel.labels, panel.reference)
        axes.set_title(panel.title)
        tops = [panel.reference[1], np.percentile(_all_points(panel)[:, 1], 75)]
        axes.set_ylim(top=1.05 * max(tops))
    return figure


def _all_points(panel: Panel) -> np.ndarray:
    return np.concatenate([points for points, _ in panel.series.values()])


def markdown(panel: Panel) -> str:
    """Returns a table of a panel's fronts, and the reference point in words."""
    lines = [head(panel), ["---"] * len(head(panel)), *rows(panel)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{title(panel)}\n\n{table}\n\n{note(panel)}"


def title(panel: Panel) -> str:
    """Returns what is drawn against what."""
    return f"Fronts: {panel.labels[1]} against {panel.labels[0]}"


def note(panel: Panel) -> str:
    """Returns the reference point of the hypervolumes in words."""
    x, y = panel.reference
    return (
        "Hypervolume: the share of the rectangle from zero to the reference point "
        f"({_text(x)} and {_text(y)}: {MARGIN} times the largest on any of these "
        "fronts) that the front dominates."
    )


def head(panel: Panel) -> list[str]:
    """Returns the titles of `rows`."""
    return ["runs", "points", "on the front", "hypervolume", *panel.labels]


def rows(panel: Panel) -> list[list[str]]:
    """Returns the texts of each front: name, counts, hypervolume and both ends."""
    texts = []
    for name, (points, front) in panel.series.items():
        ends = [" to ".join(map(_text, _ends(column))) for column in front.T]
        counts = str(len(points)), str(len(front))
        share = panel.share(name)
        volume = "–" if math.isnan(share) else f"{share:.4f}"
        texts.append([name, *counts, volume, *ends])
    return texts


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def _ends(column: np.ndarray) -> list[float]:
    return sorted({float(column.min()), float(column.max())})


def draw_search(records: Sequence[Mapping], chosen: Sequence[str]) -> Figure | None:
    """Draws the front of one search: error against each cost; None without costs.

    Args:
      records: of evaluations.jsonl.
      chosen: the objectives of the search.
    """
    known = [record for record in records if record.get("costs")]
    costs = [name for name in chosen if name != ACCURACY]
    if not known or not costs:
        return None
    figure, grid = fronts.new_figure(len(costs))
    for axes, name in zip(grid, costs):
        points = [(r["costs"][name], 100 * (1 - r["worth"])) for r in known]
        series = {"front": _with_front(points)}
        fronts.draw_front(
            axes, series, (_label(name, ESTIMATED), "validation error, %")
        )
        errors = [error for _, error in points]
        ends = [error for _, error in series["front"][1]]
        axes.set_ylim(top=1.05 * max(np.percentile(errors, 90), *ends))
    return figure
