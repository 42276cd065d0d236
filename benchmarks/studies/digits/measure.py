"""Trains the cells of digits searches beside random cells, in the same way.

    python -m benchmarks.studies.digits.measure --out=runs/digits_study

Pipelines of the quick start, one a seed; that of the first seed trains the random
cells too. Started again, the same command goes on where it was. Writes
digits.jsonl, one line a training, and prints the table of docs/results.md.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib

from absl import flags

from benchmarks.studies.digits.table import table, trainings
from darts_tf.run.files import write_atomic
from darts_tf.run.process import children

flags.DEFINE_integer("seeds", 10, "searches, from as many seeds", lower_bound=1)
flags.DEFINE_integer("random_cells", 5, "random cells", lower_bound=2)
flags.DEFINE_string("out", None, "folder of the study", required=True)
flags.DEFINE_string("results", str(pathlib.Path(__file__).parent), "for digits.jsonl")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs what is left; the first that fails or stops ends it."""
    out = pathlib.Path(FLAGS.out).expanduser()
    with children.Parent() as parent:
        for seed in range(FLAGS.seeds):
            child = pipeline(out, seed)
            if child.finished:
                continue
            ended = parent.run(child)
            if not ended.finished:
                report(out)
                return parent.code(ended)
    report(out)
    return 0


def pipeline(out: pathlib.Path, seed: int) -> children.Child:
    """Returns the pipeline of a seed; the first one trains the random cells."""
    root = out / f"seed_{seed}"
    count = 0 if seed else FLAGS.random_cells
    command = (
        *("-m", "darts_tf.cli", "pipeline", f"--seed={seed}", f"--workdir={root}"),
        *("--nocompare_published", f"--compare_random_cells={count}"),
    )
    last = f"compare/random_{count - 1}" if count else "evaluate"
    leaves = root / last / "result.json"
    return children.Child(f"seed_{seed}", command, leaves)


def report(out: pathlib.Path) -> None:
    """Writes digits.jsonl and prints the table."""
    records = [*trainings(out)]
    if not records:
        return
    text = "".join(json.dumps(record) + "\n" for record in records)
    write_atomic(pathlib.Path(FLAGS.results) / "digits.jsonl", text)
    print(table(records))


if __name__ == "__main__":
    entry_point.run(main)
