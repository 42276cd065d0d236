"""Several experiments in one table and one picture.

    python -m train.compare --experiments=runs/a,runs/b --out=runs/compared \\
        --published=cifar10

Finished and unfinished ones, by what they have so far; and folders of
searches by a strategy that asks an estimator, whose test error is the true
one where --nasbench201_table had told it. Writes compare.md, compare.tex and
compare.png into --out.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  (parses and reports)

import pathlib

from absl import flags

from darts_tf.cli import experiment_flags
from darts_tf.protocol import comparison, tables
from darts_tf.protocol.published_later import ROWS
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png

FLAGS = flags.FLAGS
experiment_flags.define_comparison()
flags.adopt_module_key_flags(experiment_flags)


def main(_) -> None:
    """The table, printed and in files, and the picture."""
    read = [comparison.read(path) for path in FLAGS.experiments]
    known = [experiment_flags.PUBLISHED[FLAGS.published]]
    measured = [found for _, found in read]
    measure = comparison.same_measure([*measured, *filter(None, known)])
    rows = [row for row, _ in read] + list(ROWS[FLAGS.published])
    folder = pathlib.Path(FLAGS.out).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    text = tables.markdown(rows, measure)
    text += comparison.sources(rows)
    write_atomic(folder / "compare.md", text + "\n")
    latex = tables.latex(rows, measure)
    write_atomic(folder / "compare.tex", latex + "\n")
    picture = figure_to_png(comparison.draw(rows, measure))
    write_atomic(folder / "compare.png", picture)
    print(f"{text}\n\n{folder / 'compare.png'}")


if __name__ == "__main__":
    entry_point.run(main)
