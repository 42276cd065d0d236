"""Compares strategies at equal budgets in the table of NAS-Bench-201.

    python -m benchmarks.studies.strategies.measure \
        --out=benchmarks/studies/strategies \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz

A search is told the validation accuracy after 12 epochs. What is compared is
the true accuracy (test, after 200 epochs) of its incumbent, of which it knows
nothing. Writes strategies.jsonl (a line a search: when the incumbent changed,
and to what) and strategies.png, prints Markdown tables. Started again, it
goes on where it was. --searches adds searches by descent to the picture: a
file as benchmarks.studies.nasbench201.report writes it.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import pathlib
import statistics
import time

import numpy as np
from absl import flags

from benchmarks.studies.strategies import picture as strategies_picture
from benchmarks.studies.strategies.expected_best import columns, expected_best
from darts_tf.data.nasbench201_table import (
    RANKED,
    SEARCHED,
    Table,
    read_table,
)
from darts_tf.errors import InputError
from darts_tf.estimation.table import TableEstimator
from darts_tf.run.files import write_atomic
from darts_tf.run.pictures.genotypes import figure_to_png
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.evaluation_loop import Budget, EvaluationLoop
from darts_tf.strategy.black_box.strategies import strategy_by_name

flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_string("out", ".", "folder of the picture and the lines")
flags.DEFINE_integer("seeds", 20, "of each strategy, from 0 on", 2)
flags.DEFINE_integer("evaluations", 200, "budget of each search", 1)
flags.DEFINE_string("searches", None, "JSON lines of searches by descent")
FLAGS = flags.FLAGS

VARIANTS = {
    "random": ("random", {}),
    "evolution": ("evolution", {}),
    "reinforce": ("reinforce", {}),
    "bayesian": ("bayesian", {}),
    # As published for 20,000 evaluations, to show what a budget of 200 needs.
    "evolution, 100 live": ("evolution", {"population": 100, "sample": 25}),
}
"""Strategies and settings, their own defaults where there are none."""

SHOWN = (10, 50, 100, 200)
SHUFFLES = 20_000  # of a permutation test


def main(_) -> None:
    """Searches, and writes tables, a picture and the lines behind them."""
    table = read_table(FLAGS.nasbench201_table)
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    searches = searched(folder / "strategies.jsonl", table)
    curves = {
        name: np.stack([curve(s) for s in searches if s["variant"] == name])
        for name in VARIANTS
    }
    others = by_descent(FLAGS.searches)
    figure = strategies_picture.draw(
        curves, expected(table, FLAGS.evaluations), columns(table), others
    )
    write_atomic(folder / "strategies.png", figure_to_png(figure))
    print(markdown(curves, searches, table))


def searched(path: pathlib.Path, table: Table) -> list[dict]:
    """Returns all searches: those in the file, then the missing ones."""
    known = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            result = json.loads(line)
            known[result["variant"], result["seed"]] = result
    searches = []
    for name in VARIANTS:
        for seed in range(FLAGS.seeds):
            result = known.get((name, seed))
            if result is None or (
                (result["evaluations"], result["settings"])
                != (FLAGS.evaluations, VARIANTS[name][1])
            ):
                result = search(name, seed, table, FLAGS.evaluations)
            searches.append(result)
            lines = known | {(s["variant"], s["seed"]): s for s in searches}
            write_atomic(path, "".join(json.dumps(s) + "\n" for s in lines.values()))
    return searches


def search(name: str, seed: int, table: Table, evaluations: int) -> dict:
    """Runs one search; accuracies in percent."""
    strategy, settings = VARIANTS[name]
    estimator = TableEstimator(table.lookup, SEARCHED)
    loop = EvaluationLoop(
        SPACE,
        strategy_by_name(strategy, SPACE, seed, **settings),
        lambda genotype, number: estimator(genotype, pathlib.Path()),
        Budget(evaluations),
    )
    start, incumbents = time.monotonic(), []
    while loop.step < loop.total_steps:
        before = loop.best if loop.step else None
        loop.advance()
        if loop.best != before:
            accuracies = table.lookup(loop.best_genotype())
            incumbents.append([loop.step, accuracies[SEARCHED], accuracies[RANKED]])
    return {
        "variant": name,
        "seed": seed,
        "settings": settings,
        "evaluations": evaluations,
        "distinct": loop.end_epoch()["distinct"],
        "seconds": round(time.monotonic() - start, 2),
        "incumbents": incumbents,
    }


def curve(search: dict) -> np.ndarray:
    """Returns the incumbent's true accuracy after each evaluation, percent [N]."""
    steps = [step for step, _, _ in search["incumbents"]]
    lasting = np.diff([*steps, search["evaluations"] + 1])
    return np.repeat([true for _, _, true in search["incumbents"]], lasting)


def expected(table: Table, evaluations: int) -> np.ndarray:
    """Returns the exact expectation of random search's true accuracy, percent [N].

    See expected_best.py.
    """
    valid, true = columns(table).T
    counts = range(1, evaluations + 1)
    return np.array([expected_best(valid, true, count) for count in counts])


def by_descent(path: str | None) -> dict[str, list[float]]:
    """Returns the last cells' true accuracies, by method, of finished searches."""
    if path is None:
        return {}
    if not pathlib.Path(path).is_file():
        raise InputError(f"--searches={path}: no such file")
    accuracies: dict[str, list[float]] = {}
    for line in pathlib.Path(path).read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["finished"] and one["method"] != "random":
            accuracies.setdefault(one["method"], []).append(one[RANKED][-1])
    return accuracies


def p_value(one: np.ndarray, other: np.ndarray) -> float:
    """Returns p of a two-sided permutation test on the means of [S] and [S]."""
    generator, joined = np.random.default_rng(0), np.concatenate([one, other])
    difference = abs(one.mean() - other.mean())
    shuffled = generator.permuted(np.tile(joined, (SHUFFLES, 1)), axis=1)
    means = [part.mean(axis=1) for part in np.split(shuffled, [len(one)], 1)]
    as_far = np.abs(means[0] - means[1]) >= difference - 1e-12
    return float((1 + as_far.sum()) / (1 + SHUFFLES))


def markdown(curves, searches: list[dict], table: Table) -> str:
    """Returns the table: mean and spread over the seeds, and the references."""
    counts = [n for n in SHOWN if n <= FLAGS.evaluations]
    rows = [
        f"| strategy | {' | '.join(f'after {n}' for n in counts)} | "
        f"against random: p | distinct cells | seconds |",
        "|---" * (len(counts) + 4) + "|",
    ]
    for name, values in curves.items():
        method_searches = [s for s in searches if s["variant"] == name]
        cells = [
            f"{values[:, n - 1].mean():.2f} ± {values[:, n - 1].std(ddof=1):.2f}"
            for n in counts
        ]
        p = p_value(values[:, -1], curves["random"][:, -1])
        rows.append(
            f"| {name} | {' | '.join(cells)} | "
            f"{'' if name == 'random' else f'{p:.2g}'} | "
            f"{statistics.mean(s['distinct'] for s in method_searches):.0f} | "
            f"{statistics.mean(s['seconds'] for s in method_searches):.2f} |"
        )
    exact = expected(table, FLAGS.evaluations)
    cells = [f"{exact[n - 1]:.2f}" for n in counts]
    rows.append(f"| random, exactly | {' | '.join(cells)} | | | |")
    every = columns(table)
    best = every[every[:, 0].argmax(), 1]
    rows.append(
        f"\nBest cell {every[:, 1].max():.2f}; best by what a search is told "
        f"{best:.2f}; mean of all cells {every[:, 1].mean():.2f}."
    )
    return "\n".join(rows)


if __name__ == "__main__":
    entry_point.run(main)
