"""The study of cost targets: what is compared with what, on a table by hand."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from benchmarks.studies.nasbench201 import cost_targets as study
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.programs import alpha_history
from darts_tf.space.architecture_string import every_string
from darts_tf.space.nasbench201 import SPACE

CELLS = dict(zip("abcd", itertools.islice(every_string(), 4)))
COSTS = {CELLS[n]: (cost, 1) for n, cost in zip("abcd", (10, 20, 30, 40))}
TRUE, VALID = (50.0, 90.0, 80.0, 95.0), (40.0, 60.0, 70.0, 90.0)


def counted() -> CostTable:
    """Counts what COSTS has: the cells differ in their last edge."""
    costs = np.zeros((6, 5), int)
    costs[5] = 0, 10, 20, 30, 999
    return CostTable("multiply_adds", SPACE, 10, {"cell": costs})


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
    """Of alpha that finds d likeliest, then a: with a floor c or b is derived."""
    folder = tmp_path / "35" / "seed_0"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"seed": 0, "seconds": 1.0}))
    alpha = np.zeros((6, 5))
    alpha[:5, 0] = 9
    alpha[5] = 2, 0, 1, 3, -9
    alpha_history.keep(folder / "alpha.npz", 1, {"cell": alpha}, 1.0)
    study_of = {"35": 35.0}, [0, 0.6, 1], counted(), accuracies()
    rows = [*study.outcomes(tmp_path, *study_of)]
    assert [row["floor"] for row in rows] == [0, 0.6, 1]
    names = {cell: name for name, cell in CELLS.items()}
    assert [names[row["architecture"]] for row in rows] == ["a", "c", "a"]
    assert [row["multiply_adds"] for row in rows] == [10, 30, 10]
    assert all(row["within"] and row["strongest"] == 40 for row in rows)
    assert [row["regret"] for row in rows] == [40, 10, 40]
    assert [names[cell] for cell in rows[0]["likely"][:3]] == ["a", "c", "b"]
    rest = {"35": 35.0}, COSTS, accuracies()
    none = rows[0] | {"likely": [], "floor": 0}
    for row in rows:  # cells of the table alone
        row["likely"] = [cell for cell in row["likely"] if cell in names]
    selected = [study.select(row, 2, *rest) for row in (*rows[:2], none)]
    assert [row["selected"] for row in selected] == [10, 10, None]
    first, second = study.markdown(selected, *rest, 2).splitlines()[2:4]
    assert first.startswith("| 35 | 0 | 3 | 2 | 2 | 0.0, 0.0 | 50.00, 50.00 | ")
    assert "| 40.00, 40.00 | 10.00, none within | 90.00 |" in first
    assert second.startswith("| 35 | 0.6 | 3 | 1 | 1 | 0.0 | 80.00 | 10.00 | 10.00 |")


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
    same = {
        "target": "7k",
        "floor": 0,
        "seed": 0,
        "within": True,
        "seconds": 61.0,
        "selected": 1.0,
    }
    found = [same | {"regret": regret} for regret in (1, 3)]
    found.append(same | {"target": "9k", "within": False, "selected": None})
    rest = costs, table, numbers, 2, 2.0
    text = study.beside(found, {"7k": target, "9k": 9e3}, *rest)
    first, second = text.splitlines()[2:]
    assert first.startswith("| 7k | 0 | 2 | 2.00 ± 1.41 | 1.00 ± 0.00 | ")
    assert f" | {expected:.2f} | " in first and first.count(f" {expected:.2f} ") == 2
    assert " | 30 | " in first  # 61 seconds are 30 trainings of two
    assert second.startswith("| 9k | 0 | 0 | not run | not run | ")
    assert second.endswith("| not run | not run | not run |")


@pytest.mark.slow
def test_all_cells_are_counted():
    costs = study.costs_of_all_cells(study.counted_tables())
    assert len(costs) == 15625
    conv = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    conv += "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    assert costs[conv] == tuple(np.max(list(costs.values()), axis=0))
