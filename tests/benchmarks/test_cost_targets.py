"""The study of cost targets: what is compared with what, on a table by hand."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from benchmarks.studies.nasbench201 import cost_targets as study
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED
from darts_tf.programs import alpha_history
from darts_tf.space.architecture_string import every_string, from_string

CELLS = dict(zip("abcd", itertools.islice(every_string(), 4)))
COSTS = {CELLS[n]: (cost, 1) for n, cost in zip("abcd", (10, 20, 30, 40))}
TRUE, VALID = (50.0, 90.0, 80.0, 95.0), (40.0, 60.0, 70.0, 90.0)


def accuracies() -> dict:
    rows = {}
    for name, true, valid in zip("abcd", TRUE, VALID):
        known = {RANKED: true, SEARCHED: valid}
        rows[CELLS[name]] = tuple(known.get(column, 0.0) for column in ACCURACIES)
    return rows


def test_references_are_those_of_the_cells_within_the_target():
    best, mean, of_sixteen, count = study.references(30, COSTS, accuracies())
    assert (best, count) == (90, 3)
    assert mean == pytest.approx(np.mean(TRUE[:3]))
    low, middle = (1 / 3) ** 16, (2 / 3) ** 16
    expected = low * 50 + (middle - low) * 90 + (1 - middle) * 80
    assert of_sixteen == pytest.approx(expected)


def test_a_search_is_held_against_the_best_within_its_target(tmp_path):
    for seed, name in enumerate("cd"):
        folder = tmp_path / "30" / f"seed_{seed}"
        folder.mkdir(parents=True)
        result = {"seed": seed, "seconds": 1.0}
        (folder / "result.json").write_text(json.dumps(result))
        (folder / "genotype.json").write_text(from_string(CELLS[name]).to_json())
        alpha = np.zeros((6, 5))
        alpha[:5, 0] = alpha[5, 3] = 1  # cell d
        alpha_history.keep(folder / "alpha.npz", 1, {"cell": alpha}, 1.0)
        likely = [json.loads(from_string(CELLS[n]).to_json()) for n in name + "ba"]
        (folder / "likely.json").write_text(json.dumps(likely))
    found = list(study.outcomes(tmp_path, {"30": 30.0}, COSTS, accuracies()))
    assert [row["within"] for row in found] == [True, False]
    assert [row["strongest"] for row in found] == [40, 40]
    assert [row["regret"] for row in found] == [10, -5]
    rest = {"30": 30.0}, COSTS, accuracies()
    assert [row["likely"] for row in found] == [
        [CELLS[n] for n in w] for w in ("cba", "ba")
    ]
    none = found[0] | {"likely": []}
    rows = [study.select(row, 2, *rest) for row in (*found, none)]
    assert [row["selected"] for row in rows] == [10, 0, None]
    table = study.markdown(rows, *rest, 2)
    words = "| 30 | 3 | 3 | 2 | 0.0, 0.0, 0.0 | 80.00, 80.00, 95.00 | "
    words += "10.00, 10.00, -5.00 | 10.00, none within, 0.00 | 90.00 |"
    assert words in table


def test_searches_that_ask_stand_beside_descent():
    """On a table by enumeration: later cells are better, and cost more."""
    cells = list(every_string())
    table = {c: (n / 200.0,) * len(ACCURACIES) for n, c in enumerate(cells)}
    costs = {cell: (n, 1) for n, cell in enumerate(cells)}
    target, numbers = 7_000.0, [3, 30]
    regrets = study.asked_regrets(target, costs, table, numbers, seed=0)
    assert 0 <= regrets[1] <= regrets[0] <= 35
    shares = (np.arange(7002) / 7001) ** 30
    expected = 35 - np.diff(shares) @ (np.arange(7001) / 200)
    same = {"target": "7k", "within": True, "seconds": 61.0, "selected": 1.0}
    found = [same | {"regret": regret} for regret in (1, 3)]
    rest = costs, table, numbers, 2, 2.0
    text = study.beside(found, {"7k": target, "9k": 9e3}, *rest)
    first, second = text.splitlines()[2:]
    assert first.startswith("| 7k | 2 | 2.00 ± 1.41 | 1.00 ± 0.00 | ")
    assert f" | {expected:.2f} | " in first and first.count(f" {expected:.2f} ") == 2
    assert " | 30 | " in first  # 61 seconds are 30 trainings of two
    assert second.startswith("| 9k | 0 | not run | not run | ")
    assert second.endswith("| not run | not run | not run |")


@pytest.mark.slow
def test_all_cells_are_counted():
    costs = study.costs_of_all_cells()
    assert len(costs) == 15625
    conv = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    conv += "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    assert costs[conv] == tuple(np.max(list(costs.values()), axis=0))
