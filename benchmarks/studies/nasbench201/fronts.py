"""Compares NSGA-II's fronts with random search's and with the true one.

    python -m benchmarks.studies.nasbench201.fronts \
        --out=benchmarks/studies/nasbench201 \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz

Nothing is trained. A search asks the table for validation accuracies after 12 epochs
and counts costs (costs.csv.gz, of the benchmark's own network). Its front after n
evaluations is what none of its cells beats in validation error and cost. Two numbers
say how good that is, each 1 for a search that has seen all 15,625 cells:

- searched: the hypervolume of the front in what the search sees, relative to that of
  the front of all cells in the same;
- true: the hypervolume of the true errors (test, after 200 epochs) of the front's
  cells, relative to that of the true front of all cells.

The reference point is the dearest cell's cost and the median error of all cells; what
is beyond it adds nothing. Writes fronts.jsonl (a line for each variant, seed and number
of evaluations) and fronts.png to OUT, prints a Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib
import time

import numpy as np
from absl import flags

from benchmarks.studies.nasbench201.costs import (
    COSTS,
    Accuracies,
    Costs,
    asked,
    counter,
    errors,
    read_costs,
)
from darts_tf.config_rules import COST_TITLES
from darts_tf.data.nasbench201_table import read_table
from darts_tf.errors import InputError
from darts_tf.protocol.fronts import hypervolume, non_dominated
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures import fronts as pictures
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.strategies import strategy_by_name

flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_string("out", ".", "folder of the picture and the lines")
flags.DEFINE_enum("cost", COSTS[0], COSTS, "the objective beside the error")
flags.DEFINE_integer("seeds", 10, "of each variant, from 0 on", 2)
flags.DEFINE_list("evaluations", ["100", "300", "1000"], "that are compared")
FLAGS = flags.FLAGS

VARIANTS = {
    "random": ("random", {}),
    "NSGA-II, population 10": ("nsga2", {"population": 10}),
    "NSGA-II, population 20": ("nsga2", {"population": 20}),
    "NSGA-II, population 50": ("nsga2", {"population": 50}),
}
CURVE = (10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000)
"""Numbers of evaluations of the picture's curves."""

SHOWN = 300


class Oracle:
    """All cells, their fronts and the reference points.

    Args:
      accuracies: of all cells.
      costs: of all cells.
      cost: name of the objective beside the error.
    """

    def __init__(self, accuracies: Accuracies, costs: Costs, cost: str):
        self.accuracies, self.count = accuracies, counter(costs, cost)
        self._cost = {cell: row[COSTS.index(cost)] for cell, row in costs.items()}
        every = self.points(np.array([*accuracies]))
        self.reference = np.append(every[:, 0].max(), np.median(every[:, 1:], axis=0))
        self.every = every
        self.whole = [self._volume(every, column) for column in (1, 2)]

    def points(self, cells) -> np.ndarray:
        """Returns (cost, validation error, true error) of cells, [cells, 3]."""
        column = np.array([self._cost[cell] for cell in cells], np.float64)
        return np.column_stack([column, errors(cells, self.accuracies)])

    def front(self, cells) -> np.ndarray:
        """Returns the front by what a search sees, rows of `points`."""
        points = self.points(cells)
        return points[non_dominated(points[:, :2])]

    def shares(self, cells) -> tuple[float, float]:
        """Returns the hypervolumes (searched, true) relative to those of all cells."""
        front = self.front(cells)
        parts = [self._volume(front, column) for column in (1, 2)]
        return parts[0] / self.whole[0], parts[1] / self.whole[1]

    def _volume(self, points: np.ndarray, column: int) -> float:
        return hypervolume(points[:, [0, column]], self.reference[[0, column]])


def main(_) -> None:
    """Searches, and writes lines, a picture and a table."""
    if not all(text.isdecimal() and int(text) for text in FLAGS.evaluations):
        raise InputError(
            f"--evaluations needs numbers; received {','.join(FLAGS.evaluations)}"
        )
    counts = sorted({int(text) for text in FLAGS.evaluations})
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    accuracies = read_table(FLAGS.nasbench201_table).accuracies
    oracle = Oracle(accuracies, read_costs(), FLAGS.cost)
    lines, cells = searched(oracle, counts, FLAGS.seeds)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    write_atomic(folder / "fronts.jsonl", text)
    figure = draw(oracle, lines, cells, FLAGS.cost)
    write_atomic(folder / "fronts.png", figure_to_png(figure))
    print(markdown(oracle, lines, counts, FLAGS.cost))


def searched(oracle: Oracle, counts: list[int], seeds: int):
    """Runs all searches.

    Returns:
      (lines of fronts.jsonl, the cells of each variant's first seed by its name).
    """
    lines, first = [], {}
    numbers = sorted({*counts, *(n for n in CURVE if n <= counts[-1])})
    for name, (strategy, settings) in VARIANTS.items():
        more = {"costs": [oracle.count]} if strategy == "nsga2" else {}
        for seed in range(seeds):
            start = time.process_time()
            new = strategy_by_name(strategy, SPACE, seed, **settings, **more)
            cells = asked(new, oracle.accuracies, counts[-1])
            seconds = round(time.process_time() - start, 2)
            first.setdefault(name, cells)
            for number in numbers:
                share, true = oracle.shares(cells[:number])
                lines.append(
                    {
                        "variant": name,
                        "seed": seed,
                        "evaluations": number,
                        "distinct": len({*cells[:number]}),
                        "on_front": len(oracle.front(cells[:number])),
                        "searched": round(share, 5),
                        "true": round(true, 5),
                        "cpu_seconds_of_all": seconds,
                    }
                )
    return lines, first


def values(lines: list[dict], variant: str, number: int, name: str) -> np.ndarray:
    """Returns a number of each seed, [seeds]."""
    return np.array(
        [
            line[name]
            for line in lines
            if (line["variant"], line["evaluations"]) == (variant, number)
        ]
    )


def markdown(oracle: Oracle, lines: list[dict], counts: list[int], cost: str) -> str:
    """Returns the table: mean and standard deviation over the seeds."""
    titles = [f"{what}, {n}" for what in ("searched", "true") for n in counts]
    rows = [
        ["search", *titles, f"distinct of {counts[-1]}", "on its front", "CPU s"],
    ]
    rows.append(["---"] * len(rows[0]))
    for name in VARIANTS:
        texts = []
        for what in ("searched", "true"):
            for n in counts:
                each = values(lines, name, n, what)
                texts.append(f"{each.mean():.3f} ± {each.std(ddof=1):.3f}")
        for what, digits in (("distinct", 0), ("on_front", 1)):
            mean = values(lines, name, counts[-1], what).mean()
            texts.append(f"{mean:.{digits}f}")
        seconds = values(lines, name, counts[-1], "cpu_seconds_of_all").mean()
        rows.append([name, *texts, f"{seconds:.1f}"])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    x, valid, true = oracle.reference
    fronts = [len(non_dominated(oracle.every[:, [0, c]])) for c in (1, 2)]
    return (
        f"{table}\n\nReference point: {x:,.0f} {COST_TITLES[cost]} and {valid:.2f} % "
        f"validation or {true:.2f} % true error. The fronts of all cells have "
        f"{fronts[0]} (validation) and {fronts[1]} (true) cells."
    )


def draw(oracle: Oracle, lines: list[dict], cells: dict, cost: str):
    """Draws true hypervolumes over the evaluations, and fronts of the first seed."""
    figure, (left, right) = pictures.new_figure(2)
    numbers = sorted({line["evaluations"] for line in lines})
    for place, name in enumerate(VARIANTS):
        each = np.array([values(lines, name, n, "true") for n in numbers])
        mean, spread = each.mean(axis=1), each.std(axis=1, ddof=1)
        left.plot(numbers, mean, "o-", color=f"C{place}", label=name, markersize=3)
        ends = mean - spread, mean + spread
        left.fill_between(numbers, *ends, color=f"C{place}", alpha=0.15, lw=0)
    left.axhline(1, color="black", lw=1, linestyle=":")
    left.set(
        xscale="log",
        xlabel="evaluations",
        ylabel="true hypervolume, relative to the true front's",
        title="mean and standard deviation over the seeds",
    )
    left.legend(fontsize=8)
    left.grid(alpha=0.3)
    number = min(SHOWN, numbers[-1])
    every = oracle.every[:, [0, 2]]
    nothing = np.zeros((0, 2))
    series = {"true front of all cells": (nothing, every[non_dominated(every)])}
    for name in list(VARIANTS)[:3:2]:
        points = oracle.front(cells[name][:number])[:, [0, 2]]
        best = points[non_dominated(points)]
        series[f"{name}, {number} evaluations"] = points, best
    right.plot(*every.T, ",", color="#b0b0b0")
    labels = COST_TITLES[cost], "true error, %"
    pictures.draw_front(right, series, labels, oracle.reference[[0, 2]])
    right.set_ylim(5, 1.2 * oracle.reference[2])
    right.set_title("seed 0: true errors of the cells on its front")
    return figure


if __name__ == "__main__":
    entry_point.run(main)
