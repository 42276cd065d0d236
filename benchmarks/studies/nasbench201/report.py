"""Compares cells of searches in NAS-Bench-201 by their published accuracies.

    python -m benchmarks.studies.nasbench201.report --runs=runs/nasbench201 \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz --out=FOLDER

Reads the folder that benchmarks.studies.searches writes: RUNS/<method>/seed_<k>.
Unfinished searches are shown as such and left out of the table. Beside them
stands random choice: as many random cells, and the mean of the whole table.

Beside the cell by the benchmark's rule, in which zero competes, stands the one by
DARTS's, in which it does not, and those of minus alpha: what the search likes least.
No mean is taken over searches of which some end at chance (a zero cell): the median,
the numbers and their count say more.
Writes NAME.jsonl (a line a search: true accuracy of each epoch's cell) and
NAME.png, prints a Markdown table. Finished searches that only an earlier
NAME.jsonl knows, their folders being gone, are kept.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib
import statistics

from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.studies.nasbench201.search_lines import with_earlier
from darts_tf.data.nasbench201_table import (
    ACCURACIES,
    RANKED,
    Table,
    read_table,
)
from darts_tf.errors import InputError
from darts_tf.programs.alpha_history import AlphaHistory
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.diagnostics.other_rules import RULES

flags.DEFINE_string("runs", None, "folder of the searches", required=True)
flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_string("out", ".", "folder of the picture and the lines")
flags.DEFINE_string("name", "nasbench201", "of both")
FLAGS = flags.FLAGS

CHANCE = 10.0
"""Percent, of ten classes: what a cell gives whose output is zero."""


def main(_) -> None:
    """Writes a table, a picture and the lines behind them."""
    table = read_table(FLAGS.nasbench201_table)
    root = pathlib.Path(FLAGS.runs)
    searches = [line(path, table) for path in sorted(root.glob("*/seed_*"))]
    if not searches:
        raise InputError(f"--runs={root} holds no <method>/seed_<k>")
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    lines = folder / f"{FLAGS.name}.jsonl"
    searches = with_earlier(searches, lines)
    seeds = sorted({search["seed"] for search in searches})
    searches += [random_line(seed, table) for seed in seeds]
    rows = "".join(json.dumps(search) + "\n" for search in searches)
    write_atomic(lines, rows)
    picture_path = folder / f"{FLAGS.name}.png"
    write_atomic(picture_path, figure_to_png(picture(searches)))
    print(markdown(searches, table))


def line(workdir: pathlib.Path, table: Table) -> dict:
    """Returns a search's line: the true accuracy of each epoch's cell, percent."""
    paths = sorted((workdir / "genotypes").glob("epoch_*.json"))
    cells = [Genotype.from_json(p.read_text("utf-8")) for p in paths]
    finished = (workdir / "result.json").exists()
    result = {}
    if finished:
        result = json.loads((workdir / "result.json").read_text("utf-8"))
    return {
        "method": workdir.parent.name,
        "seed": int(workdir.name.removeprefix("seed_")),
        "finished": finished,
        "seconds": result.get("seconds"),
        "steps": result.get("steps"),
        **truth(cells, table),
        "other_rules": by_other_rules(workdir, table) if finished else {},
    }


def by_other_rules(workdir: pathlib.Path, table: Table) -> dict:
    """Returns accuracy and rank of the last alpha's cells by other rules.

    Empty where a search has no alpha, or none was kept.
    """
    path = workdir / "alpha.npz"
    if not path.exists():
        return {}
    cells = AlphaHistory(path, SPACE).by_other_rules(0)
    return {
        rule: {RANKED: table.lookup(cell)[RANKED], "rank": table.rank(cell)}
        for rule, cell in cells.items()
    }


def random_line(seed: int, table: Table) -> dict:
    """Returns the line of a random cell, as if it were a search of one epoch."""
    cell = random_genotype(SPACE, seed)
    return {
        "method": "random",
        "seed": seed,
        "finished": True,
        **truth([cell], table),
    }


def truth(cells: list[Genotype], table: Table) -> dict:
    """Returns each epoch's accuracy and skip connections, and the last cell's rank."""
    return {
        RANKED: [table.lookup(cell)[RANKED] for cell in cells],
        "skips": [cell.count(SPACE.identity, "cell") for cell in cells],
        "rank": table.rank(cells[-1]) if cells else None,
    }


def by_method(searches: list[dict]) -> dict[str, list[dict]]:
    """Returns the searches of each method, in order of the seed."""
    return {
        method: [s for s in searches if s["method"] == method]
        for method in dict.fromkeys(s["method"] for s in searches)
    }


def markdown(searches: list[dict], table: Table) -> str:
    """Returns the table of the finished searches' last cells."""
    columns = [
        "method",
        "seeds",
        "median true accuracy, %",
        "mean ± standard deviation",
        "at chance",
        "best",
        "each (rank of 15,625)",
        *(RULES[rule] for rule in RULES),
        "seconds",
    ]
    rows = [columns, ["---"] * len(columns)]
    for method, all_searches in by_method(searches).items():
        finished = [s for s in all_searches if s["finished"]]
        cells = row(method, finished) if finished else [method, "none finished"]
        rows.append([*cells, *[""] * (len(columns) - len(cells))])
    place = ACCURACIES.index(RANKED)
    everything = [values[place] for values in table.accuracies.values()]
    expected = [
        "random, expected (the whole table)",
        "",
        f"{statistics.median(everything):.2f}",
        f"{statistics.mean(everything):.2f} ± {statistics.pstdev(everything):.2f}",
        f"{sum(map(at_chance, everything)):,} of {len(everything):,}",
        f"{max(everything):.2f}",
    ]
    rows.append([*expected, *[""] * (len(columns) - len(expected))])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def row(method: str, finished: list[dict]) -> list[str]:
    """Returns a method's row of the table."""
    last = [s[RANKED][-1] for s in finished]
    chance = sum(map(at_chance, last))
    spread = statistics.stdev(last) if len(last) > 1 else float("nan")
    mean = "none: some are at chance"
    if not chance:
        mean = f"{statistics.mean(last):.2f} ± {spread:.2f}"
    times = [s["seconds"] for s in finished if s.get("seconds")]
    return [
        method,
        f"{len(finished)}",
        f"{statistics.median(last):.2f}",
        mean,
        f"{chance} of {len(finished)}",
        f"{max(last):.2f}",
        ", ".join(f"{v:.2f} ({s['rank']:,})" for v, s in zip(last, finished)),
        *(_each_by(rule, finished) for rule in RULES),
        f"{statistics.mean(times):.0f}" if times else "",
    ]


def _each_by(rule: str, finished: list[dict]) -> str:
    """Returns the accuracies and ranks by another rule, where alpha was kept."""
    cells = [s.get("other_rules", {}).get(rule) for s in finished]
    if not any(cells):
        return ""
    return ", ".join(
        f"{cell[RANKED]:.2f} ({cell['rank']:,})" if cell else "not kept"
        for cell in cells
    )


def at_chance(accuracy: float) -> bool:
    """Returns True for the accuracy of guessing one of ten classes, in percent."""
    return accuracy <= CHANCE


COLUMNS = 4
"""Methods side by side in the picture."""


def picture(searches: list[dict]) -> Figure:
    """Draws true error and skip connections by epoch, by method, a line a seed."""
    done = [s for s in searches if s["finished"] and s["method"] != "random"]
    methods = by_method(done)
    rows = max(-(-len(methods) // COLUMNS), 1)
    columns = min(max(len(methods), 1), COLUMNS)
    figure = Figure((3 * columns, 4 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2 * rows, columns, sharex=True, squeeze=False)
    for axes in panels.flat:
        axes.set_visible(False)
    for place, (method, method_searches) in enumerate(methods.items()):
        row, column = 2 * (place // COLUMNS), place % COLUMNS
        upper, lower = panels[row : row + 2, column]
        for axes in (upper, lower):
            axes.set_visible(True)
        for search in method_searches:
            epochs = range(1, 1 + len(search[RANKED]))
            how = {"color": f"C{search['seed']}", "marker": "."}
            upper.plot(epochs, [100 - value for value in search[RANKED]], **how)
            lower.plot(epochs, search["skips"], **how)
        upper.set_title(method.replace("_", " "), fontsize=9)
        upper.set(yscale="log", ylim=(5, 100))
        upper.set_yticks([6, 10, 20, 50, 90], ["6", "10", "20", "50", "90"])
        upper.minorticks_off()
        lower.set(xlabel="epoch", ylim=(-0.2, 6.2))
        if not column:
            upper.set_ylabel("true error, %")
            lower.set_ylabel("skip connections")
    return figure


if __name__ == "__main__":
    entry_point.run(main)
