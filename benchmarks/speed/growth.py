"""Measures a search step's time and memory against each of its sizes.

    python -m benchmarks.speed.growth --out=benchmarks/speed/results

From one middle point, one size at a time: channels, cells, batch, and the
number of candidates on an edge (spaces that differ in little else). Each
point is a process of its own (benchmarks/speed/search_step.py), one after the
other. Adds the rows that are not there yet to OUT/growth.jsonl, so that the
same command goes on where it was. Draws OUT/growth.png and prints a table:
the exponent b of a * size**b, fitted to the logarithms by least squares.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import pathlib

from absl import flags

from benchmarks.speed import step_sizes
from benchmarks.speed.growth_report import MIDDLE, SWEEPS, picture, table
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png

flags.DEFINE_string("out", None, "folder of the results", required=True)
flags.DEFINE_integer("steps", 3, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Measures missing points, then writes the picture and the table."""
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    every = [{**MIDDLE, n: v} for n, values in SWEEPS.items() for v in values]
    rows = step_sizes.measured(folder / "growth.jsonl", every, FLAGS.steps)
    write_atomic(folder / "growth.png", figure_to_png(picture(rows)))
    print(table(rows))


if __name__ == "__main__":
    entry_point.run(main)
