"""The table of searches in NAS-Bench-201: no mean over cells at chance."""

from __future__ import annotations

import numpy as np

from benchmarks.studies.nasbench201 import report
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, Table
from darts_tf.programs import alpha_history
from darts_tf.space.architecture_string import every_string
from darts_tf.space.nasbench201 import CANDIDATES

STRINGS = list(every_string())
ROWS = {s: (50.0,) * 6 + (10.0 if i < 3 else 90.0,) for i, s in enumerate(STRINGS)}
TABLE = Table(ROWS)


def search(seed: int, accuracy: float, **more) -> dict:
    return {
        "method": "first_order",
        "seed": seed,
        "finished": True,
        "seconds": 60,
        RANKED: [50.0, accuracy],
        "rank": 7,
    } | more


def cells(text: str, start: str) -> list[str]:
    """Returns the cells of the row that begins so."""
    (line,) = [x for x in text.splitlines() if x.startswith(f"| {start} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_mean_is_left_out_where_some_are_at_chance():
    assert ACCURACIES[-1] == RANKED
    text = report.markdown([search(0, 10.0), search(1, 92.0), search(2, 94.0)], TABLE)
    row = cells(text, "first_order")
    assert row[1:6] == ["3", "92.00", "none: some are at chance", "1 of 3", "94.00"]
    assert row[6] == "10.00 (7), 92.00 (7), 94.00 (7)" and row[-1] == "60"
    whole = cells(text, "random, expected")
    assert whole[2:5] == ["90.00", "89.98 ± 1.11", "3 of 15,625"]
    lengths = {line.count("|") for line in text.splitlines()}
    assert len(lengths) == 1


def test_a_mean_of_cells_that_all_work_and_the_other_rules():
    other = {"zero_excluded": {RANKED: 93.0, "rank": 5}}
    searches = [search(0, 92.0, other_rules=other), search(1, 94.0)]
    row = cells(report.markdown(searches, TABLE), "first_order")
    assert row[3:5] == ["93.00 ± 1.41", "0 of 2"]
    assert row[7] == "93.00 (5), not kept" and row[8] == ""


def test_an_unfinished_search_is_shown():
    unfinished = search(0, 92.0) | {"finished": False}
    assert cells(report.markdown([unfinished], TABLE), "first_order")[1] == (
        "none finished"
    )


def test_the_other_rules_are_read_from_alpha(tmp_path):
    alpha = np.zeros((6, len(CANDIDATES)))
    alpha[:, CANDIDATES.index("none")] = 1
    alpha_history.keep(tmp_path / "alpha.npz", 1, {"cell": alpha}, 1.0)
    other = report.by_other_rules(tmp_path, TABLE)
    assert other["zero_excluded"] == {RANKED: 90.0, "rank": 1}
    assert report.by_other_rules(tmp_path / "none", TABLE) == {}
