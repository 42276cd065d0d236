"""Searches within cost targets in NAS-Bench-201, beside the best that they allow.

    python -m benchmarks.studies.nasbench201.cost_targets --runs=runs/cost_targets \
        --nasbench201_table=DIR/nasbench201/accuracies.csv.gz --data_dir=DIR

Runs quarter_hour_beta_decay.flags with --cost=multiply_adds and each of
--targets from each of --seeds, in RUNS/<target>/seed_<k>. Started again, the
same command goes on where it was; all first seeds come first. --seeds= (none)
only reports.

Cells are derived from each search's alpha with each of --floors as --cost_floor. Of
the most likely cells that meet the target and the floor the first --cells are asked in
the table for their validation accuracy after 12 epochs, and the best is selected, as
`train.experiment --cost_targets --cells_per_search` does with short trainings.

The multiply-adds and parameters of all 15,625 cells are counted for the
benchmark's own network (16 channels, 15 cells, 32 x 32 pixels), so that the best
accuracy within a target is known: the regret of a search is what it lacks to
that, in points. Beside it stands random choice among the cells within the
target: the mean, and the expected true accuracy of the best of --cells by the
validation accuracy after 12 epochs. Writes costs.csv.gz (every cell) and
cost_targets.jsonl (a line a search and floor) to OUT, prints Markdown tables. Searches
that only an earlier cost_targets.jsonl knows, their folders being gone, are kept.

A second table puts the regrets beside those of random search and of NSGA-II, both with
the target as a hard limit, after each of --evaluations: of random search the exact
expectation, of NSGA-II mean and standard deviation over --asked_seeds. An evaluation of
theirs is a training of 12 epochs whose time the table does not say: --training_seconds
of one such training on this machine adds a column with as many evaluations as the mean
search by descent lasted.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import gzip
import itertools
import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from absl import flags

from benchmarks.studies.lines import read_lines, write_lines
from benchmarks.studies.nasbench201.costs import (
    COSTS,
    Accuracies,
    Costs,
    asked,
    best_by_validation,
    counter,
)
from benchmarks.studies.strategies.expected_best import expected_best
from benchmarks.studies.unfinished import run_all
from darts_tf.config import SearchConfig
from darts_tf.config_rules import cost_targets, settle
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED, read_table
from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.programs.alpha_history import (
    AlphaHistory,
    derived_genotype,
    most_likely,
)
from darts_tf.programs.derived_costs import short
from darts_tf.programs.search_costs import tables_of
from darts_tf.run.files import write_atomic
from darts_tf.run.process import children
from darts_tf.space.architecture_string import every_string, from_string, to_string
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.strategies import strategy_by_name
from darts_tf.strategy.darts.within_targets import CostTargets

FLAGFILE = pathlib.Path(__file__).with_name("quarter_hour_beta_decay.flags")
POPULATION = 10
TIMED = ("evaluations", "random", "NSGA-II")
PIXELS, CLASSES = 32, 10

flags.DEFINE_string("nasbench201_table", None, "CSV", required=True)
flags.DEFINE_string("data_dir", None, "folder of CIFAR-10")
flags.DEFINE_string("runs", None, "folder of the searches", required=True)
flags.DEFINE_string("out", ".", "folder of what is written")
flags.DEFINE_list("targets", ["40M", "80M", "120M"], "multiply-adds of a network")
flags.DEFINE_list("floors", ["0", "0.95"], "shares of a target to be reached")
flags.DEFINE_list("seeds", ["0", "1", "2", "3", "4"], "of each target")
flags.DEFINE_integer("cells", 16, "likely cells of a search that are asked", 1)
flags.DEFINE_list("evaluations", ["16", "50", "100"], "of searches that ask")
flags.DEFINE_integer("asked_seeds", 20, "of NSGA-II at each target", 2)
flags.DEFINE_float(
    "training_seconds", 0, "of 12 epochs on this machine (0: unknown)", 0
)
flags.DEFINE_list("more", [], "flags that every search is given")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs what is left, and reports."""
    table = read_table(FLAGS.nasbench201_table)
    targets = {text: _number(text) for text in FLAGS.targets}
    if not all(text.isdecimal() and int(text) for text in FLAGS.evaluations):
        raise InputError(f"--evaluations={','.join(FLAGS.evaluations)}: give numbers")
    if not all(seed.isdecimal() for seed in FLAGS.seeds if seed):
        raise InputError(f"--seeds needs numbers; received {','.join(FLAGS.seeds)}")
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    counted = counted_tables()
    costs = costs_of_all_cells(counted)
    write_atomic(folder / "costs.csv.gz", _compressed(costs))
    if code := run_all(searches(pathlib.Path(FLAGS.runs))):
        return code
    path, runs = folder / "cost_targets.jsonl", pathlib.Path(FLAGS.runs)
    floors = [float(text) for text in FLAGS.floors]
    known = {_place(row): row for row in read_lines(path)}
    for row in outcomes(runs, targets, floors, counted[0], table.accuracies):
        known[_place(row)] = row
    rows = [known[place] for place in sorted(known)]
    write_lines(path, rows)
    found = [select(row, FLAGS.cells, targets, costs, table.accuracies) for row in rows]
    print(markdown(found, targets, costs, table.accuracies, FLAGS.cells))
    counts = [int(text) for text in FLAGS.evaluations]
    rest = counts, FLAGS.asked_seeds, FLAGS.training_seconds
    print(f"\n{beside(found, targets, costs, table.accuracies, *rest)}")
    return 0


def _place(row: Mapping[str, Any]) -> tuple[float, float, int]:
    return _number(row["target"]), row["floor"], row["seed"]


def _number(text: str) -> float:
    config = SearchConfig(cost=COSTS[:1], cost_target=text)
    targets = cost_targets(config)
    assert targets is not None
    return targets[0]


def counted_tables() -> tuple[CostTable, ...]:
    """Counts (multiply-adds, parameters) of the benchmark's own networks."""
    config = settle(SearchConfig(space="nasbench201", cost=COSTS, cost_weight=0.0))
    return tables_of(config, (PIXELS, PIXELS, 3), CLASSES)


def costs_of_all_cells(tables: Sequence[CostTable]) -> dict[str, tuple[int, ...]]:
    """Returns (multiply-adds, parameters) of every cell, by architecture string."""
    return {
        text: tuple(table.of(from_string(text)) for table in tables)
        for text in every_string()
    }


def _compressed(costs: Mapping[str, tuple[int, ...]]) -> bytes:
    rows = [f"architecture,{','.join(COSTS)}"]
    rows += [f"{text},{','.join(map(str, row))}" for text, row in costs.items()]
    return gzip.compress(("\n".join(rows) + "\n").encode(), mtime=0)


def searches(runs: pathlib.Path) -> Iterator[children.Child]:
    """Returns all searches, in their order."""
    for seed in filter(None, FLAGS.seeds):
        for target in FLAGS.targets:
            workdir = runs / target / f"seed_{seed}"
            yield children.Child(
                str(workdir),
                (
                    "-m",
                    "train.search",
                    f"--flagfile={FLAGFILE}",
                    f"--cost={COSTS[0]}",
                    f"--cost_target={target}",
                    f"--cost_image_size={PIXELS}",
                    f"--seed={seed}",
                    f"--workdir={workdir}",
                    *([f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else []),
                    *FLAGS.more,
                ),
                workdir / "result.json",
            )


def outcomes(
    runs: pathlib.Path,
    targets: Mapping[str, float],
    floors: Sequence[float],
    counted: CostTable,
    accuracies: Accuracies,
) -> Iterator[dict]:
    """Yields a finished search's cost, true accuracy and regret with each floor.

    "strongest" are the multiply-adds of its strongest operations, which may be above
    the target; the derived cell is the most likely one that meets target and floor.

    Args:
      runs: folder of the searches.
      targets: by their texts.
      floors: shares of a target that cells are to reach.
      counted: the multiply-adds of all cells.
      accuracies: percent, in the order of ACCURACIES, by architecture string.
    """
    costs = {cell: (counted.of(from_string(cell)),) for cell in accuracies}
    for (text, target), floor in itertools.product(targets.items(), floors):
        best, *_ = references(target, costs, accuracies)
        for path in sorted((runs / text).glob("seed_*/result.json")):
            result = json.loads(path.read_text("utf-8"))
            history = AlphaHistory(path.parent / "alpha.npz", SPACE)
            allowed = CostTargets((counted,), (target,), floor)
            strongest = history.genotype(0)
            likely = most_likely(SPACE, history.after(0), allowed)
            cell = to_string(derived_genotype(strongest, likely, allowed))
            true = accuracies[cell][ACCURACIES.index(RANKED)]
            yield {
                "target": text,
                "floor": floor,
                "seed": result["seed"],
                "architecture": cell,
                COSTS[0]: costs[cell][0],
                "within": costs[cell][0] <= target,
                "strongest": counted.of(strongest),
                RANKED: true,
                "regret": round(best - true, 4),
                "seconds": result["seconds"],
                "likely": [to_string(g) for g in likely if allowed.within(g)],
            }


def select(
    line: Mapping[str, Any],
    count: int,
    targets: Mapping[str, float],
    costs: Costs,
    accuracies: Accuracies,
) -> dict:
    """Returns a search's line with what the best of its likely cells within lacks.

    Args:
      line: as `outcomes` yields it.
      count: so many likely cells are asked.
      targets: by their texts.
      costs: of all cells.
      accuracies: of all cells.

    Returns:
      the line and "selected": the regret in points of the cell whose validation
      accuracy after 12 epochs is best; None where no likely cell is within.
    """
    if not line["likely"]:
        return {**line, "selected": None}
    chosen = best_by_validation(line["likely"][:count], accuracies)
    best = references(targets[line["target"]], costs, accuracies)[0]
    return {**line, "selected": best - accuracies[chosen][ACCURACIES.index(RANKED)]}


def references(
    target, costs, accuracies, draws: int = 16
) -> tuple[float, float, float, int]:
    """Returns what cells within a target have, accuracies in percent.

    Returns:
      (best true accuracy, mean, expectation of the best of `draws` random ones by
      validation accuracy, number of cells).
    """
    within = np.array([accuracies[c] for c, row in costs.items() if row[0] <= target])
    true = within[:, ACCURACIES.index(RANKED)]
    expected = expected_best(within[:, ACCURACIES.index(SEARCHED)], true, draws)
    return true.max(), true.mean(), expected, len(true)


def markdown(found: list[dict], targets, costs, accuracies, count: int) -> str:
    """Returns a row a target and floor: searches beside the cells that it allows.

    Args:
      found: what `select` returns of all searches.
      targets: by their texts.
      costs: of all cells.
      accuracies: of all cells.
      count: so many likely cells of a search, and random cells, are asked.
    """
    rows = [
        "| target | floor | cells within | searches | within | "
        "multiply-adds, millions | "
        f"true accuracy, % | regret, points | regret, best of {count} likely | best | "
        f"best of {count} random | mean |",
        "|---" * 12 + "|",
    ]
    for (text, floor), own in by_target(found, targets).items():
        best, mean, expected, within = references(
            targets[text], costs, accuracies, count
        )
        cells = [
            text,
            f"{floor:g}",
            f"{within:,}",
            str(len(own)),
            str(sum(row["within"] for row in own)),
            ", ".join(f"{row[COSTS[0]] / 1e6:.1f}" for row in own),
            ", ".join(f"{row[RANKED]:.2f}" for row in own),
            ", ".join(f"{row['regret']:.2f}" for row in own),
            ", ".join(_regret(row["selected"]) for row in own),
            f"{best:.2f}",
            f"{expected:.2f}",
            f"{mean:.2f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    every = [row[0] for row in costs.values()]
    rows.append(
        f"\nAll cells: {short(min(every))} to {short(max(every))} multiply-adds."
    )
    return "\n".join(rows)


def by_target(
    found: Iterable[dict], targets: Iterable[str]
) -> dict[tuple[str, float], list[dict]]:
    """Returns the lines of each (target, floor) that there is, seed by seed."""
    places = {text: place for place, text in enumerate(targets)}
    lines = [row for row in found if row["target"] in places]
    groups: dict[tuple[str, float], list[dict]] = {}
    for row in sorted(
        lines, key=lambda r: (places[r["target"]], r["floor"], r["seed"])
    ):
        groups.setdefault((row["target"], row["floor"]), []).append(row)
    return groups


def _regret(value: float | None) -> str:
    return "none within" if value is None else f"{value:.2f}"


def asked_regrets(
    target: float, costs: Costs, accuracies: Accuracies, counts: list[int], seed: int
) -> list[float]:
    """Returns NSGA-II's regret in points after each number of evaluations.

    The target is its hard limit, and its choice the best by validation.
    """
    count = counter(costs)
    strategy = strategy_by_name(
        "nsga2", SPACE, seed, costs=[count], population=POPULATION
    )
    cells = asked(strategy, accuracies, max(counts), lambda g: count(g) <= target)
    places = [ACCURACIES.index(name) for name in (SEARCHED, RANKED)]
    valid, true = np.array([accuracies[cell] for cell in cells])[:, places].T
    best, *_ = references(target, costs, accuracies)
    return [float(best - true[valid[:n].argmax()]) for n in counts]


def beside(
    found: list[dict],
    targets: Mapping[str, float],
    costs: Costs,
    accuracies: Accuracies,
    counts: list[int],
    seeds: int,
    training_seconds: float = 0.0,
) -> str:
    """Returns a row a target and floor: regrets of descent beside those of asking.

    Args:
      found: what `select` returns of all searches.
      targets: by their texts.
      costs: of all cells.
      accuracies: of all cells.
      counts: numbers of evaluations of the searches that ask.
      seeds: how many of NSGA-II at each target.
      training_seconds: of 12 epochs of one cell; 0: unknown, no column of equal time.
    """
    titles = [f"after {n}" for n in counts]
    head = ["target", "floor", "searches within", "regret of descent, points"]
    head += ["regret of the best likely cell"]
    head += [f"{who}, {title}" for who in ("random", "NSGA-II") for title in titles]
    head += [f"{who}, at equal time" for who in TIMED if training_seconds]
    rows = [head, ["---"] * len(head)]
    for (text, floor), own in by_target(found, targets).items():
        target, searches = targets[text], [row for row in own if row["within"]]
        equal = []
        if training_seconds and searches:
            mean = float(np.mean([row["seconds"] for row in searches]))
            equal = [max(int(mean / training_seconds), 1)]
        numbers = [*counts, *equal]
        best = references(target, costs, accuracies)[0]
        random = [best - references(target, costs, accuracies, n)[2] for n in numbers]
        each = np.array(
            [asked_regrets(target, costs, accuracies, numbers, s) for s in range(seeds)]
        )
        nsga2 = [_mean_and_spread(column) for column in each.T]
        descent = _mean_and_spread([row["regret"] for row in searches])
        chosen = [row["selected"] for row in own]
        likely = _mean_and_spread([value for value in chosen if value is not None])
        cells = [text, f"{floor:g}", str(len(searches)), descent, likely]
        cells += [f"{value:.2f}" for value in random[: len(counts)]]
        cells += nsga2[: len(counts)]
        if training_seconds:
            last = [str(*equal), f"{random[-1]:.2f}", nsga2[-1]]
            cells += last if equal else ["not run"] * len(TIMED)
        rows.append(cells)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _mean_and_spread(regrets: Sequence[float] | np.ndarray) -> str:
    if not len(regrets):
        return "not run"
    spread = f" ± {np.std(regrets, ddof=1):.2f}" if len(regrets) > 1 else ""
    return f"{np.mean(regrets):.2f}{spread}"


if __name__ == "__main__":
    entry_point.run(main)
