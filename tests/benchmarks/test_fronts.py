"""The study of fronts: shares of hypervolumes, on a table by enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.studies.nasbench201 import costs as study_costs
from benchmarks.studies.nasbench201 import fronts as study
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED
from darts_tf.space.architecture_string import every_string

CELLS = list(every_string())
COSTS = {cell: (number // 100, 1) for number, cell in enumerate(CELLS)}


@pytest.fixture(scope="module")
def oracle():
    """Costs rise with the enumeration in steps, accuracies with its square root."""
    rows, place = {}, ACCURACIES.index(RANKED)
    for number, cell in enumerate(CELLS):
        row = [0.7 * number**0.5] * len(ACCURACIES)
        row[place] = 0.8 * number**0.5
        rows[cell] = tuple(row)
    return study.Oracle(rows, COSTS, "multiply_adds")


def test_all_cells_have_the_whole_hypervolume(oracle):
    assert oracle.shares(CELLS) == (1, 1)
    few = oracle.shares(CELLS[::1000])
    assert 0.5 < min(few) and max(few) < 1
    assert oracle.reference[0] == (len(CELLS) - 1) // 100
    assert oracle.reference[1] == 100 - 0.7 * (len(CELLS) // 2) ** 0.5


def test_what_a_search_sees_chooses_its_front(oracle):
    """The true errors of its front count, and no others."""
    table = dict(oracle.accuracies)
    misled = list(table[CELLS[9000]])
    misled[ACCURACIES.index(RANKED)] = 0.0
    table[CELLS[9000]] = tuple(misled)
    other = study.Oracle(table, COSTS, "multiply_adds")
    share, true = other.shares([CELLS[0], CELLS[9000]])
    assert share > 0 and true == 0


def test_the_table_and_the_picture(oracle, monkeypatch):
    monkeypatch.setattr(study, "CURVE", (5, 12))
    lines, cells = study.searched(oracle, [12], 2)
    assert len(lines) == len(study.VARIANTS) * 2 * 2
    assert all(len(c) == 12 for c in cells.values())
    shares = study.values(lines, "random", 12, "true")
    row = f"| random | {study.values(lines, 'random', 12, 'searched').mean():.3f} ± "
    text = study.markdown(oracle, lines, [12], "multiply_adds")
    assert row in text and f"| {shares.mean():.3f} ± " in text
    figure = study.draw(oracle, lines, cells, "multiply_adds")
    assert len(figure.axes) == 2


def test_the_costs_that_are_committed():
    costs = study_costs.read_costs()
    assert len(costs) == 15_625
    assert costs[CELLS[0]] == (7_783_040, 73_306)
    assert np.min(list(costs.values()), axis=0).tolist() == [7_783_040, 73_306]
