"""Compares ASHA with random search at equal training epochs in NAS-Bench-201's table.

    python -m benchmarks.studies.strategies.asha --out=benchmarks/studies/strategies \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz

The table has accuracies after 12 and after 200 epochs, so ASHA has two rungs: one of
16 cells of the lower is promoted, whose training goes on from 12 to 200 epochs. On the
lower rung it is told the validation accuracy; on the upper one the only number that
there is, the test accuracy, so that what it ends with is its best cell there. Random
search is told the same number after 200 epochs of each cell: both results are the best
of those trained in full, and too good by the same choice. The third rival spends all
epochs on trainings of 12 and takes the best by validation. Random search is exact, ASHA
is run from --seeds seeds. Writes asha.jsonl (a line a search), prints a Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import pathlib

import numpy as np
from absl import flags

from benchmarks.studies.lines import write_lines
from benchmarks.studies.strategies.expected_best import columns, expected_best
from darts_tf.data.nasbench201_table import (
    RANKED,
    SEARCHED,
    Table,
    read_table,
)
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.asha import Asha

SHORT, FULL, REDUCTION = 12, 200, 16
BUDGETS = (1_000, 2_000, 4_000, 8_000)
"""Training epochs of a whole search."""

flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_string("out", ".", "folder of asha.jsonl")
flags.DEFINE_integer("seeds", 100, "searches by ASHA", 2)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Writes the lines; prints the table."""
    table = read_table(FLAGS.nasbench201_table)
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [search(seed, table) for seed in range(FLAGS.seeds)]
    write_lines(folder / "asha.jsonl", lines)
    print(markdown(lines, table))


def search(seed: int, table: Table) -> dict:
    """Returns what one search by ASHA has found within each budget, percent."""
    strategy, spent, best, found = Asha(SPACE, seed, REDUCTION, rungs=2), 0, 0.0, {}
    trained = [0, 0]
    while len(found) < len(BUDGETS):
        rung = strategy.rung
        cost = FULL - SHORT if rung else SHORT
        for budget in BUDGETS[len(found) :]:
            if spent + cost > budget:
                found[budget] = {"true": best, "cells": list(trained)}
        genotype = strategy.propose()
        accuracies = table.lookup(genotype)
        worth = accuracies[RANKED if rung else SEARCHED]
        strategy.tell(genotype, worth / 100)
        spent += cost
        trained[rung] += 1
        best = max(best, worth) if rung else best
    return {"seed": seed, "found": {str(budget): f for budget, f in found.items()}}


def markdown(lines: list[dict], table: Table) -> str:
    """Returns the true accuracy of each way to spend each budget."""
    valid, true = columns(table).T
    rows = [
        "| training epochs | ASHA, 12 and 200 epochs | its cells on both rungs | "
        "random, 200 epochs | cells | random, 12 epochs, best by validation | cells |",
        "|---|---|---|---|---|---|---|",
    ]
    for budget in BUDGETS:
        found = [line["found"][str(budget)] for line in lines]
        values = np.array([f["true"] for f in found])
        lower, upper = np.median([f["cells"] for f in found], axis=0)
        full, short = budget // FULL, budget // SHORT
        long, quick = expected_best(true, true, full), expected_best(valid, true, short)
        rows.append(
            f"| {budget:,} | {values.mean():.2f} ± {values.std(ddof=1):.2f} | "
            f"{lower:.0f}, {upper:.0f} | {long:.2f} | {full} | {quick:.2f} | {short} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    entry_point.run(main)
