"""Reports searches whose most likely cells had a short training, beside random cells.

    python -m benchmarks.studies.nasbench201.likely_report --searches=runs/likely \
        --random=runs/likely_random --out=benchmarks/studies/nasbench201 \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz

Reads two experiments (experiment_likely.flags, experiment_likely_random.flags), of
which the stages "search" and "short" are needed. Each search counts by itself: its
result is the best of its own cells by the validation error of their short trainings,
and its time that of the search and of all its short trainings, also where two
searches share one. Random search has as many short trainings of random cells as the
mean time of a search buys; its expected result is exact over all choices of so many
of the cells that were trained.

Writes likely.jsonl (a line a search and a random cell) and likely.png to OUT, and
prints Markdown tables. Without --searches and --random it reports what likely.jsonl
of OUT says.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import math
import pathlib
import statistics
from collections.abc import Sequence

import numpy as np
from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.studies.estimators.ranks import spearman
from benchmarks.studies.nasbench201.costs import read_costs
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, Table, read_table
from darts_tf.errors import InputError
from darts_tf.protocol.plan import Plan, plan_of, result_of
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.run.workdir import read_settings
from darts_tf.space.architecture_string import to_string
from darts_tf.space.genotype import Genotype

LARGEST = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|".format("nor_conv_3x3")
OTHERS = ("cifar100_test_12ep", "imagenet16_120_test_12ep")
DRAWS = 10_000

flags.DEFINE_string("searches", None, "folder of the experiment with searches")
flags.DEFINE_string("random", None, "folder of the experiment with random cells")
flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_integer("fixed_on", 3, "so many first seeds fixed the recipe", 0)
flags.DEFINE_string("out", ".", "folder of likely.jsonl and likely.png")
FLAGS = flags.FLAGS


def main(_) -> None:
    """Writes the lines and the picture; prints the tables."""
    table = read_table(FLAGS.nasbench201_table)
    folder = pathlib.Path(FLAGS.out)
    path = folder / "likely.jsonl"
    if FLAGS.searches is None and FLAGS.random is None:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    else:
        roots = [pathlib.Path(p) for p in (FLAGS.searches, FLAGS.random) if p]
        plans = [plan_of(root, read_settings(root)) for root in roots]
        lines = [line for plan in plans for line in lines_of(plan)]
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_atomic(path, text)
    searches = [line for line in lines if line["search_seconds"] is not None]
    random = [line["cells"][0] for line in lines if line["search_seconds"] is None]
    if not searches:
        raise InputError("there is no search all of whose cells have been trained yet")
    picture = figure_to_png(draw(searches, random, table))
    write_atomic(folder / "likely.png", picture)
    print(each(searches, table))
    print()
    print(compared(searches, random, table))


def lines_of(plan: Plan) -> list[dict]:
    """Returns a line for each search, or random cell, all of whose cells are trained.

    "cells" has architecture, validation error and seconds of each, the most likely
    first; "search_seconds" is None of a random cell.
    """
    lines = []
    for seed in plan.seeds:
        cells = [trained(plan, key) for key in plan.cell_keys(seed)]
        if cells and all(cells):
            searched = result_of(plan.search(seed))
            seconds = searched["seconds"] if searched else None
            lines.append({"seed": seed, "search_seconds": seconds, "cells": cells})
    return lines


def trained(plan: Plan, key: str) -> dict | None:
    """Returns what the short training of a cell gave; None while it is unfinished."""
    result = result_of(plan.short(key))
    if result is None:
        return None
    architecture = to_string(Genotype.from_file(plan.cell(key)))
    error, seconds = result["valid"]["error"], result["seconds"]
    return {"architecture": architecture, "valid_error": error, "seconds": seconds}


def selected(cells: Sequence[dict]) -> str:
    """Returns the architecture of least validation error, the first of equals."""
    return min(cells, key=lambda cell: cell["valid_error"])["architecture"]


def accuracy(table: Table, architecture: str, column: str = RANKED) -> float:
    """Returns an accuracy of a cell in percent."""
    return table.accuracies[architecture][ACCURACIES.index(column)]


def rank(table: Table, architecture: str, column: str = RANKED) -> int:
    """Returns a cell's rank by a column, from 1."""
    place, own = ACCURACIES.index(column), accuracy(table, architecture, column)
    return 1 + sum(row[place] > own for row in table.accuracies.values())


def seconds(line: dict) -> float:
    """Returns the time of a search and of its short trainings."""
    return line["search_seconds"] + sum(cell["seconds"] for cell in line["cells"])


def each(searches: Sequence[dict], table: Table) -> str:
    """Returns a table of every search: derived and selected cell, with ranks."""
    rows = [
        "| seed | derived | selected | best and worst of its cells | minutes | "
        "selected cell |",
        "|---|---|---|---|---|---|",
    ]
    for line in searches:
        derived, found = line["cells"][0]["architecture"], selected(line["cells"])
        every = [accuracy(table, cell["architecture"]) for cell in line["cells"]]
        rows.append(
            f"| {line['seed']} | {accuracy(table, derived):.2f} "
            f"({rank(table, derived):,}) | {accuracy(table, found):.2f} "
            f"({rank(table, found):,}) | {max(every):.2f}, {min(every):.2f} | "
            f"{line['search_seconds'] / 60:.1f} + "
            f"{(seconds(line) - line['search_seconds']) / 60:.1f} | "
            f"`{found.replace('|', chr(92) + '|')}` |"
        )
    return "\n".join(rows)


def compared(searches: Sequence[dict], random: Sequence[dict], table: Table) -> str:
    """Returns a table of means: searches, selection, random search, largest cell."""
    later = [line for line in searches if line["seed"] >= FLAGS.fixed_on]
    rows = [
        "| | cells | mean ± deviation, % | worst | best | less than the best with no "
        "more multiply-adds | more than their median |",
        "|---|---|---|---|---|---|---|",
    ]
    groups = {"seeds that fixed the recipe": searches[: len(searches) - len(later)]}
    groups["other seeds"] = later
    for name, lines in groups.items():
        if lines:
            derived = [line["cells"][0]["architecture"] for line in lines]
            found = [selected(line["cells"]) for line in lines]
            rows.append(row(f"{name}, derived cell", derived, table))
            rows.append(row(f"{name}, selected cell", found, table))
    rows.append(row("largest cell", [LARGEST], table))
    text = "\n".join(rows)
    lines = later or list(searches)
    found = [selected(line["cells"]) for line in lines]
    if random:
        text += "\n\n" + random_search(lines, found, random, table)
    for column in (*OTHERS, "cifar10_test_12ep"):
        values = [accuracy(table, cell, column) for cell in found]
        ranks = sorted(rank(table, cell, column) for cell in found)
        text += (
            f"\n{column}: mean {statistics.mean(values):.2f}, ranks {ranks}; largest "
            f"cell {accuracy(table, LARGEST, column):.2f} "
            f"({rank(table, LARGEST, column):,})"
        )
    return text


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


def random_search(
    lines: Sequence[dict], found: Sequence[str], random: Sequence[dict], table: Table
) -> str:
    """Returns lines on random search at equal time, and a permutation test."""
    each_seconds = statistics.mean(cell["seconds"] for cell in random)
    bought = statistics.mean(map(seconds, lines)) / each_seconds
    count = min(max(round(bought), 1), len(random))
    order = sorted(random, key=lambda cell: cell["valid_error"])
    values = np.array([accuracy(table, cell["architecture"]) for cell in order])
    chances = np.array(
        [math.comb(len(order) - 1 - n, count - 1) for n in range(len(order))], float
    ) / math.comb(len(order), count)
    mean = float(chances @ values)
    deviation = math.sqrt(float(chances @ (values - mean) ** 2))
    generator = np.random.default_rng(0)
    draws = generator.choice(values, (DRAWS, len(found)), p=chances)
    own = statistics.mean(accuracy(table, cell) for cell in found)
    beaten = (1 + int((draws.mean(1) >= own).sum())) / (1 + DRAWS)
    return (
        f"Random search, {count} short trainings (the mean time of a search buys "
        f"{bought:.1f}; {len(random)} were made): {mean:.2f} ± {deviation:.2f}; all of "
        f"them {values.mean():.2f} ± {values.std(ddof=1):.2f}. One-sided test of the "
        f"means of {len(found)}: p {'=' if beaten > 1 / DRAWS else '<'} {beaten:.2g}.\n"
        f"Spearman correlation of the short training with the truth over random cells: "
        f"{correlation(random, table):.2f}.\n"
    )


def correlation(cells: Sequence[dict], table: Table) -> float:
    """Returns the rank correlation of the short trainings with the truth."""
    errors = [-cell["valid_error"] for cell in cells]
    return spearman(errors, [accuracy(table, c["architecture"]) for c in cells])


def draw(searches: Sequence[dict], random: Sequence[dict], table: Table) -> Figure:
    """Draws true accuracy against the short training's error, a point a cell."""
    figure = Figure((7, 4.5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    likely = {cell["architecture"]: cell for line in searches for cell in line["cells"]}
    kinds = {
        "random cells": (random, "o", "#9a9a9a", 24),
        "likely cells of the searches": (likely.values(), "o", "#1f5fa8", 24),
    }
    for name, (cells, marker, color, size) in kinds.items():
        points = [
            (100 * cell["valid_error"], accuracy(table, cell["architecture"]))
            for cell in cells
        ]
        if points:
            axes.scatter(*zip(*points), size, color, marker, label=name, alpha=0.8)
    chosen = [likely[selected(line["cells"])] for line in searches]
    points = {
        (100 * c["valid_error"], accuracy(table, c["architecture"])) for c in chosen
    }
    axes.scatter(
        *zip(*points), 90, facecolors="none", edgecolors="#c0392b", label="selected"
    )
    axes.axhline(
        accuracy(table, LARGEST), color="#555555", lw=1, ls="--", label="largest cell"
    )
    axes.set(
        xlabel="validation error of the short training, %",
        ylabel="true accuracy (200 epochs), %",
        ylim=(86, 94.8),
    )
    axes.legend(frameon=False, loc="lower left")
    return figure


if __name__ == "__main__":
    entry_point.run(main)
