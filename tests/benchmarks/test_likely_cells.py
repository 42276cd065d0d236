"""The study of the most likely cells of searches in NAS-Bench-201."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from benchmarks.studies.nasbench201 import likely_cells
from darts_tf.data.nasbench201_table import Table
from darts_tf.space.architecture_string import every_string, from_string
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype

STRINGS = list(every_string())
TRUE = {s: 90 + 4 * n / len(STRINGS) for n, s in enumerate(STRINGS)}
TABLE = Table(
    {s: (50.0, 95 - TRUE[s], 50.0, 50.0, 50.0, 50.0, TRUE[s]) for s in STRINGS}
)
"""Validation and true accuracy are opposed, so that it shows which one chooses."""

LINES = [
    {"seed": 0, "seconds": 60.0, "cells": [STRINGS[n] for n in (9000, 5, 7)]},
    {"seed": 3, "seconds": 60.0, "cells": [STRINGS[n] for n in (3, 4, 2)]},
]


def test_the_best_by_validation_of_its_first_cells_is_selected():
    assert likely_cells.selected(LINES[0], TABLE, 1) == STRINGS[9000]
    assert likely_cells.selected(LINES[0], TABLE, 3) == STRINGS[5]
    row = likely_cells.each(LINES, TABLE).splitlines()[2].split(" | ")
    assert row[1] == f"{TRUE[STRINGS[9000]]:.2f} ({15625 - 9000:,})"
    assert row[2] == f"{TRUE[STRINGS[5]]:.2f} (15,620)"


def test_means_are_apart_for_seeds_that_fixed_the_recipe():
    rows = likely_cells.compared(LINES, TABLE, 2, 3).splitlines()
    fixed = [row for row in rows if row.startswith("| seeds that fixed")]
    later = [row for row in rows if row.startswith("| other seeds")]
    assert f"| {TRUE[STRINGS[9000]]:.2f} |" in fixed[0]
    assert f"| {TRUE[STRINGS[5]]:.2f} |" in fixed[1]
    assert f"| {TRUE[STRINGS[3]]:.2f} |" in later[0]


def test_chance_of_random_search_is_counted():
    """The worse of two cells is chosen here: as good as the median in 1 of 4."""
    text = likely_cells.random_search([STRINGS[len(STRINGS) // 2]], TABLE, 2)
    (p,) = re.findall(r"p [=<] ([\d.e-]+)\.", text)
    assert float(p) == pytest.approx(0.25, abs=0.1)
    best = likely_cells.random_search([STRINGS[-1]], TABLE, 2)
    assert "p < 0.0001" in best or "p = 0.0002" in best


def test_cells_of_equal_cost():
    cheapest = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    lacks, leads = likely_cells.at_equal_cost(cheapest, TABLE)
    assert lacks > 0 and leads < 0
    lacks, _ = likely_cells.at_equal_cost(likely_cells.LARGEST, TABLE)
    assert lacks == pytest.approx(max(TRUE.values()) - TRUE[likely_cells.LARGEST])


def test_one_change_is_one_edge():
    cells = likely_cells.one_change(likely_cells.LARGEST)
    assert len(set(cells)) == len(cells) == 25 and cells[0] == likely_cells.LARGEST
    assert all(cell.count("nor_conv_3x3") == 5 for cell in cells[1:])


def test_reads_finished_searches(tmp_path):
    folder = tmp_path / "seed_4"
    folder.mkdir()
    genotypes = [random_genotype(SPACE, seed) for seed in range(2)]
    lists = json.dumps([json.loads(genotype.to_json()) for genotype in genotypes])
    (folder / "likely.json").write_text(lists)
    (folder / "result.json").write_text('{"seconds": 7}')
    (line,) = likely_cells.searched(tmp_path)
    assert (line["seed"], line["seconds"]) == (4, 7)
    assert [from_string(cell) for cell in line["cells"]] == genotypes
    assert np.isfinite(likely_cells.accuracy(TABLE, line["cells"][0]))
