"""Compares several experiments in one table and one picture."""

from __future__ import annotations

import pathlib

from darts_tf.config import ComparisonConfig
from darts_tf.protocol import comparison, tables
from darts_tf.protocol.published_later import MEASURES, ROWS
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png


def run(config: ComparisonConfig) -> None:
    """Writes compare.md, compare.tex and compare.png; prints the table.

    Raises:
      InputError: a folder is no experiment, or they measure different things.
    """
    read = [comparison.read(path) for path in config.experiments or ()]
    measures = [measure for _, measure in read]
    known = MEASURES[config.published]
    measure = comparison.same_measure([*measures, *filter(None, [known])])
    rows = [row for row, _ in read] + list(ROWS[config.published])
    folder = pathlib.Path(config.out or ".").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    text = tables.markdown(rows, measure) + comparison.sources(rows)
    write_atomic(folder / "compare.md", text + "\n")
    write_atomic(folder / "compare.tex", tables.latex(rows, measure) + "\n")
    picture = figure_to_png(comparison.draw(rows, measure))
    write_atomic(folder / "compare.png", picture)
    print(f"{text}\n\n{folder / 'compare.png'}")
