"""The report of searches whose likely cells had a short training."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.studies.nasbench201 import likely_report
from darts_tf.data.nasbench201_table import Table
from darts_tf.protocol.plan import Plan
from darts_tf.space.architecture_string import every_string
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype

STRINGS = list(every_string())
TRUE = {s: 90 + 4 * n / len(STRINGS) for n, s in enumerate(STRINGS)}
TABLE = Table({s: (50.0,) * 6 + (TRUE[s],) for s in STRINGS})


def cell(number: int, error: float, seconds: float = 60.0) -> dict:
    return {
        "architecture": STRINGS[number],
        "valid_error": error,
        "seconds": seconds,
    }


@pytest.fixture
def fixed_on(monkeypatch):
    """The flags as if parsed: the first seed fixed the recipe."""
    likely_report.FLAGS.unparse_flags()
    likely_report.FLAGS(["report", "--nasbench201_table=-", "--fixed_on=1"])
    yield
    likely_report.FLAGS.unparse_flags()


SEARCHES = [
    {"seed": 0, "search_seconds": 60.0, "cells": [cell(9, 0.3), cell(5, 0.2)]},
    {"seed": 1, "search_seconds": 60.0, "cells": [cell(7, 0.4), cell(15000, 0.1)]},
]


def test_the_selected_cell_is_the_best_by_validation_of_its_own_search():
    rows = likely_report.each(SEARCHES, TABLE).splitlines()[2:]
    assert [row.split(" | ")[2] for row in rows] == [
        f"{TRUE[STRINGS[5]]:.2f} (15,620)",
        f"{TRUE[STRINGS[15000]]:.2f} (625)",
    ]
    assert rows[0].split(" | ")[4] == "1.0 + 2.0"


def test_random_search_of_equal_time_is_the_exact_expectation(fixed_on):
    """Three minutes buy three of four trainings: the best of them, or the next."""
    random = [cell(n, e) for n, e in ((0, 0.4), (5000, 0.1), (9000, 0.2), (100, 0.3))]
    text = likely_report.compared(SEARCHES, random, TABLE)
    mean = 0.75 * TRUE[STRINGS[5000]] + 0.25 * TRUE[STRINGS[9000]]
    assert (
        "Random search, 3 short trainings (the mean time of a search buys 3.0; 4"
        in (text)
    )
    assert f"{mean:.2f} ±" in text
    (p,) = re.findall(r"p [=<] ([\d.e-]+)\.", text)
    assert float(p) < 1e-3  # the selected cell is better than any of them


def test_cells_of_equal_cost():
    cheapest = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    lacks, leads = likely_report.at_equal_cost(cheapest, TABLE)
    assert lacks > 0 > leads - 4
    largest = likely_report.LARGEST
    lacks, _ = likely_report.at_equal_cost(largest, TABLE)
    assert lacks == pytest.approx(max(TRUE.values()) - TRUE[largest])


def test_reads_random_cells_of_an_experiment_and_leaves_unfinished_ones_out(tmp_path):
    values = {"random_genotypes": "nasbench201", "search_seeds": 3}
    plan = Plan(tmp_path, values, {})
    for seed in range(2):
        genotype = random_genotype(SPACE, seed)
        plan.search(seed).path.mkdir(parents=True)
        plan.search(seed).genotype.write_text(genotype.to_json())
    short = plan.short(str(plan.cell_key(1)))
    short.path.mkdir(parents=True)
    short.result.write_text(json.dumps({"valid": {"error": 0.5}, "seconds": 7}))
    (line,) = likely_report.lines_of(plan)
    assert line["seed"] == 1 and line["search_seconds"] is None
    assert line["cells"][0]["seconds"] == 7
