"""Compares experiments, searches and evaluations in one table and one picture."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping, Sequence

from darts_tf.config import ComparisonConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.programs import plugins, report
from darts_tf.programs.report import Run
from darts_tf.protocol import comparison, folder, front_comparison, tables
from darts_tf.protocol.published_later import MEASURES, ROWS
from darts_tf.protocol.tables import Row
from darts_tf.reading import expanded
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.run.report import charts, page
from darts_tf.run.report.page import Section
from darts_tf.run.workdir import made, read_settings

TITLE, ABSENT = "Comparison", "–"


def run(config: ComparisonConfig) -> None:
    """Writes compare.md, compare.tex, compare.png and report.html; prints the table.

    Where costs are known, a front of errors and costs too: front.png.

    Raises:
      InputError: a folder is no run, or they measure different things, or no run has
        both objectives of `config.front`.
    """
    config = settle(config)
    plugins.load(config.plugin)
    paths = config.experiments or ()
    for path in paths:
        plugins.load_stored(read_settings(expanded(path)).get("plugin"))
    read = [comparison.read(path) for path in paths]
    measures = [measure for _, measure in read]
    known = MEASURES[config.published]
    measure = comparison.same_measure([*measures, *filter(None, [known])])
    _require_same_data(paths)
    rows = [row for rows, _ in read for row in rows] + list(ROWS[config.published])
    runs = _runs(paths, [rows for rows, _ in read])
    panels = _panels(paths, config.front)
    out = made(expanded(config.out or "."), "out")
    text = tables.markdown(rows, measure) + comparison.sources(rows)
    text += "".join(f"\n\n{front_comparison.markdown(panel)}" for panel in panels)
    write_atomic(out / "compare.md", text + "\n")
    write_atomic(out / "compare.tex", tables.latex(rows, measure) + "\n")
    picture = figure_to_png(comparison.draw(rows, measure))
    write_atomic(out / "compare.png", picture)
    drawn = _drawn(panels)
    if panels:
        write_atomic(out / "front.png", drawn)
    html = _page(rows, measure, picture, runs, _fronts(panels, drawn))
    write_atomic(out / "report.html", html)
    files = ["compare.png", *(["front.png"] if panels else []), "report.html"]
    print("\n".join([text, "", *(str(out / name) for name in files)]))


def _require_same_data(paths: Sequence[str]) -> None:
    """Refuses runs on several sets of a user's own, as far as runs know theirs."""
    sets: dict[tuple, dict[str, str]] = {}
    for path in paths:
        stored = read_settings(path)
        if "fingerprint" in stored:  # that of scaled images
            key = stored.get("dataset"), stored.get("image_size")
            sets.setdefault(key, {}).setdefault(stored["fingerprint"], path)
    for (dataset, _), runs in sets.items():
        if len(runs) > 1:
            first, other, *_ = runs.values()
            raise InputError(
                f"`experiments`: the data ({dataset}) of {other} are not those of "
                f"{first}, so their numbers do not compare; give runs on the same data"
            )


def _panels(
    paths: Sequence[str], chosen: Sequence[str] | None
) -> list[front_comparison.Panel]:
    """Returns the fronts of errors and costs; [] where fewer than two costs are known.

    Args:
      paths: of the runs.
      chosen: two objectives; None: chosen by what is known.
    """
    series = front_comparison.read(paths)
    pair = front_comparison.objectives(series, chosen)
    return front_comparison.panels(series, pair) if pair else []


def write_page(paths: Sequence[str | os.PathLike], path: pathlib.Path) -> None:
    """Writes a page that compares searches and evaluations of one data set.

    Args:
      paths: their folders.
      path: of the page.

    Raises:
      InputError: a folder is no run.
    """
    names = [os.fspath(folder) for folder in paths]
    read = [comparison.read(name) for name in names]
    rows, measure = [row for rows, _ in read for row in rows], read[-1][1][0]
    picture = figure_to_png(comparison.draw(rows, measure))
    runs = _runs(names, [rows for rows, _ in read])
    panels = _panels(names, None)
    fronts = _fronts(panels, _drawn(panels))
    write_atomic(path, _page(rows, measure, picture, runs, fronts))


def _runs(paths: Sequence[str], rows: Sequence[Sequence[Row]]) -> dict[str, Run]:
    """Returns the searches and evaluations among the folders, by their rows' names."""
    return {
        of_path[0].name: report.read(path)
        for path, of_path in zip(paths, rows)
        if not folder.is_experiment(read_settings(expanded(path)))
    }


def _page(
    rows: Sequence[Row],
    measure: str,
    picture: bytes,
    runs: Mapping[str, Run],
    fronts: str,
) -> str:
    head, body = tables.cells(rows, measure, "plain")
    table = page.table(head, body, range(1, len(head)))
    points = {name: charts.curves(run.records) for name, run in runs.items()}
    curves = charts.draw_runs(points)
    note = page.paragraph(
        "Validation; dashed: the training's, where nothing was held out. Curves of "
        "searches are of the supernet.",
        "note",
    )
    cells = "".join(page.folded(name, report.cells(run)) for name, run in runs.items())
    sections = [
        Section("Table", table + _sources(rows)),
        Section("Picture", page.picture(picture, "Test results of all rows", 0.8)),
        Section("Fronts", fronts),
        Section("Curves", note + report.chart(curves, "Curves of all runs")),
        Section("Settings that differ", _differences(runs)),
        Section("Cells", cells),
    ]
    full = [s for s in sections if s.title != "Curves" or curves is not None]
    lead = f"{len(rows)} rows, test {measure} (lower is better)."
    return page.page(TITLE, lead, full)


def _drawn(panels: Sequence[front_comparison.Panel]) -> bytes:
    """Returns the picture of the fronts as a PNG; b"" without fronts."""
    return figure_to_png(front_comparison.draw(panels)) if panels else b""


def _fronts(panels: Sequence[front_comparison.Panel], drawn: bytes) -> str:
    """Returns the picture of the fronts, and a table of each, as HTML."""
    if not panels:
        return ""
    html = page.picture(drawn, "Fronts of errors and costs", 0.8)
    for panel in panels:
        head = front_comparison.head(panel)
        table = page.table(head, front_comparison.rows(panel), range(1, len(head)))
        html += page.paragraph(front_comparison.title(panel)) + table
        html += page.paragraph(front_comparison.note(panel), "note")
    return html


def _sources(rows: Sequence[Row]) -> str:
    text = comparison.sources(rows).strip()
    return page.code(text) if text else ""


def _differences(runs: Mapping[str, Run]) -> str:
    """Returns a table of the settings that differ among the runs that read them."""
    names = sorted({name for run in runs.values() for name in run.values})
    texts = {name: [_text(run, name) for run in runs.values()] for name in names}
    rows = [[n, *row] for n, row in texts.items() if len({*row} - {ABSENT}) > 1]
    return page.table(["setting", *runs], rows) if rows else ""


def _text(run: Run, name: str) -> str:
    return report.format_value(run.values[name]) if name in run.values else ABSENT
