"""Asks the table for the most likely cells of searches, beside random search.

    python -m benchmarks.studies.searches --seeds=0,1,2,... --out=RUNS \
        --flagfiles=benchmarks/studies/nasbench201/quarter_hour_beta_decay.flags \
        --more=--data_dir=DIR
    python -m benchmarks.studies.nasbench201.likely_cells \
        --runs=RUNS/quarter_hour_beta_decay --out=benchmarks/studies/nasbench201 \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz

A search on images lists its most likely cells (likely.json of its folder). Of the first
--cells of them the one is selected whose validation accuracy after 12 epochs is best,
by the table: as `train.experiment --cells_per_search` does, with the benchmark's own
trainings in the place of short trainings. Random search asks the table as often, and
more often; its expected result is exact.

Writes likely_cells.jsonl (a line a search: its likely cells) and likely_cells.png to
OUT, and prints Markdown tables. Searches that only an earlier likely_cells.jsonl knows,
their folders being gone, are kept; without --runs it reports what that file says.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib
import statistics
from collections.abc import Callable, Sequence

import numpy as np
from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.studies.lines import read_lines, write_lines
from benchmarks.studies.nasbench201.costs import (
    best_by_validation,
    likely_cells,
    read_costs,
)
from benchmarks.studies.strategies.expected_best import columns, expected_best
from darts_tf.data.nasbench201_table import (
    ACCURACIES,
    RANKED,
    Table,
    read_table,
)
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.architecture_string import from_string, to_string
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import SPACE

LARGEST = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|".format("nor_conv_3x3")
OTHERS = ("cifar100_test_12ep", "imagenet16_120_test_12ep")
COUNTS = (1, 4, 8, 16, 32, 64)
ASKED = (16, 50, 100, 200, 500)
DRAWS = 10_000

flags.DEFINE_string("runs", None, "folder of the searches, seed_0 and so on")
flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_integer("cells", 16, "likely cells of a search that are asked", 1)
flags.DEFINE_integer("fixed_on", 3, "so many first seeds fixed the recipe", 0)
flags.DEFINE_string("out", ".", "folder of likely_cells.jsonl and its picture")
FLAGS = flags.FLAGS


def main(_) -> None:
    """Writes the lines and the picture; prints the tables."""
    table = read_table(FLAGS.nasbench201_table)
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "likely_cells.jsonl"
    searches = {line["seed"]: line for line in read_lines(path)}
    if FLAGS.runs is not None:
        searches |= {line["seed"]: line for line in searched(pathlib.Path(FLAGS.runs))}
    lines = [searches[seed] for seed in sorted(searches)]
    if not lines:
        raise InputError(
            f"--runs={FLAGS.runs}: there is no finished search in seed_0 or another "
            f"seed's folder, and {path} has none"
        )
    write_lines(path, lines)
    picture = figure_to_png(draw(lines, table, FLAGS.fixed_on))
    write_atomic(path.with_suffix(".png"), picture)
    print(each(lines, table))
    print(f"\n{compared(lines, table, FLAGS.cells, FLAGS.fixed_on)}")


def searched(root: pathlib.Path) -> list[dict]:
    """Returns a line for each finished search: seed, seconds and its likely cells."""
    lines = []
    for path in sorted(root.glob("seed_*/likely.json")):
        result = json.loads((path.parent / "result.json").read_text("utf-8"))
        cells = likely_cells(path.parent)
        seed = int(path.parent.name.removeprefix("seed_"))
        lines.append({"seed": seed, "seconds": result["seconds"], "cells": cells})
    return lines


def accuracy(table: Table, cell: str, column: str = RANKED) -> float:
    """Returns an accuracy of a cell in percent."""
    return table.accuracies[cell][ACCURACIES.index(column)]


def rank(table: Table, cell: str, column: str = RANKED) -> int:
    """Returns a cell's rank by a column, from 1; ties share a rank."""
    return table.rank(from_string(cell), column)


def selected(line: dict, table: Table, count: int) -> str:
    """Returns the best of a search's first cells by validation after 12 epochs."""
    return best_by_validation(line["cells"][:count], table.accuracies)


def each(lines: Sequence[dict], table: Table) -> str:
    """Returns a table of all searches, with true accuracies and ranks."""
    heads = ["derived", *(f"best of {count}" for count in COUNTS[1:])]
    rows = [f"| seed | {' | '.join(heads)} |", "|---" * (len(COUNTS) + 1) + "|"]
    for line in lines:
        cells = [selected(line, table, count) for count in COUNTS]
        worths = [f"{accuracy(table, c):.2f} ({rank(table, c):,})" for c in cells]
        rows.append(f"| {line['seed']} | {' | '.join(worths)} |")
    return "\n".join(rows)


def compared(lines: Sequence[dict], table: Table, count: int, fixed_on: int) -> str:
    """Returns means: derived and selected cells, random search, the largest cell.

    Args:
      lines: of all searches.
      table: of the benchmark.
      count: so many likely cells of each search are asked.
      fixed_on: searches with seeds below it fixed the recipe, and stand apart.
    """
    rows = [
        "| | cells | mean ± deviation, % | worst | best | less than the best that "
        "costs no more | more than the median that costs no more |",
        "|---" * 7 + "|",
    ]
    later = [line for line in lines if line["seed"] >= fixed_on]
    groups = {
        "seeds that fixed the recipe": [x for x in lines if x not in later],
        "other seeds": later,
    }
    ways: dict[str, Callable[[dict], str]] = {
        "derived cell": lambda line: line["cells"][0],
        f"best of its {count} likely cells": lambda x: selected(x, table, count),
    }
    for name, some in groups.items():
        if some:
            for way, choose in ways.items():
                cells = [choose(line) for line in some]
                rows.append(row(f"{name}, {way}", cells, table))
    rows.append(row("largest cell", [LARGEST], table))
    near = one_change(LARGEST)
    best = best_by_validation(near, table.accuracies)
    name = f"best of the largest cell and its {len(near) - 1} with one change"
    rows.append(row(name, [best], table))
    found = [selected(line, table, count) for line in later or lines]
    texts = ["\n".join(rows), random_search(found, table, count), others(found, table)]
    return "\n\n".join(texts)


def one_change(cell: str) -> list[str]:
    """Returns a cell and all cells that differ from it in the operation of one edge."""
    (spec,) = SPACE.cells
    edges = from_string(cell).cells[spec.name].edges
    cells = [cell]
    for place, (own, source) in enumerate(edges):
        for name in spec.candidates[place]:
            if name != own:
                changed = (*edges[:place], (name, source), *edges[place + 1 :])
                cell_genotype = CellGenotype(changed, spec.concat)
                genotype = Genotype(SPACE.name, {spec.name: cell_genotype})
                cells.append(to_string(genotype))
    return cells


def row(name: str, cells: Sequence[str], table: Table) -> str:
    """Returns a row: accuracies, and what lacks to cells that cost no more."""
    values = [accuracy(table, cell) for cell in cells]
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    lacks, leads = zip(*(at_equal_cost(cell, table) for cell in cells))
    return (
        f"| {name} | {len(cells)} | {statistics.mean(values):.2f}{spread} | "
        f"{min(values):.2f} | {max(values):.2f} | {statistics.mean(lacks):.2f} | "
        f"{statistics.mean(leads):.2f} |"
    )


def at_equal_cost(cell: str, table: Table) -> tuple[float, float]:
    """Returns (best less this, this less the median) of cells that cost no more.

    Points of true accuracy, over all cells with no more multiply-adds.
    """
    costs = read_costs()
    within = [
        accuracy(table, other)
        for other, (multiply_adds, _) in costs.items()
        if multiply_adds <= costs[cell][0]
    ]
    own = accuracy(table, cell)
    return max(within) - own, own - statistics.median(within)


def random_search(found: Sequence[str], table: Table, count: int) -> str:
    """Returns a line on random search, and a one-sided test at equal questions."""
    valid, true = columns(table).T
    means = [f"{expected_best(valid, true, n):.2f} ({n})" for n in ASKED]
    generator = np.random.default_rng(0)
    asked = generator.integers(len(true), size=(DRAWS, len(found), count))
    best = np.take_along_axis(asked, valid[asked].argmax(-1)[..., np.newaxis], -1)
    own = statistics.mean(accuracy(table, cell) for cell in found)
    as_good = 1 + int((true[best[..., 0]].mean(-1) >= own).sum())
    return (
        f"Random search, by number of cells asked: {', '.join(means)}. Of {DRAWS:,} "
        f"times {len(found)} random searches with {count} cells each, "
        f"{as_good - 1} have a mean as high: p {'<' if as_good == 1 else '='} "
        f"{as_good / (1 + DRAWS):.1g}."
    )


def others(found: Sequence[str], table: Table) -> str:
    """Returns what the selected cells have on the other data sets, 12 epochs."""
    texts = []
    for column in OTHERS:
        values = [accuracy(table, cell, column) for cell in found]
        ranks = ", ".join(f"{rank(table, cell, column):,}" for cell in found)
        every = [row[ACCURACIES.index(column)] for row in table.accuracies.values()]
        texts.append(
            f"{column}: {statistics.mean(values):.2f} (ranks {ranks}); "
            f"largest cell {accuracy(table, LARGEST, column):.2f}, all "
            f"{statistics.mean(every):.2f}, best {max(every):.2f}."
        )
    return "\n".join(texts)


def draw(lines: Sequence[dict], table: Table, fixed_on: int) -> Figure:
    """Draws true accuracy by number of cells asked: searches and random search."""
    figure = Figure((6.5, 4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    numbers = range(1, max(COUNTS) + 1)
    for line in lines:
        values = [accuracy(table, selected(line, table, n)) for n in numbers]
        own = line["seed"] >= fixed_on
        axes.plot(numbers, values, color="#1f5fa8" if own else "#9dbbe0", lw=0.9)
    axes.plot([], [], color="#1f5fa8", label="likely cells of a search (a line each)")
    axes.plot([], [], color="#9dbbe0", label="of those that fixed the recipe")
    valid, true = columns(table).T
    random = [expected_best(valid, true, n) for n in numbers]
    axes.plot(numbers, random, color="#c0392b", label="random cells, expected")
    largest = accuracy(table, LARGEST)
    axes.axhline(largest, color="#555555", lw=1, ls="--", label="largest cell")
    axes.set(
        xscale="log",
        xlabel="cells whose validation accuracy after 12 epochs is asked",
        ylabel="true accuracy, %",
        ylim=(91.4, 94.6),
    )
    axes.set_xticks(COUNTS, [str(count) for count in COUNTS])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")
    return figure


if __name__ == "__main__":
    entry_point.run(main)
