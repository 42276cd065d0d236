"""Rows that fail say so, and the table's numbers."""

from __future__ import annotations

import pytest

from benchmarks.speed.gpu_table import as_table, ratio, reason, run, summary

ROWS = [
    {"method": "exact", "column": "graph", "step": 0.5, "peak_gb": 2.0},
    {"method": "exact", "column": "pytorch", "step": 3.0},
    {"method": "exact", "column": "pytorch_channels_last", "step": 2.0},
    {"method": "exact", "column": "XLA", "failed": "no time left"},
    {"method": "first_order", "column": "graph", "step": 0.5},
]
CHECK = {
    "difference": {"weights": 1e-6, "exact": 0.5},
    "tolerance": {"weights": 0.01, "exact": 0.03},
    "within": {"weights": True, "exact": False},
}


def test_a_process_says_its_numbers():
    text = '{"first_step": 9}\n' + "".join(
        f'{{"seconds": {s}, "cpu_seconds": 1}}\n' for s in (7, 1, 2, 3)
    )
    told = ["json.tool", "--json-lines", "--no-indent"]
    given = run(told, text + '{"peak_gb": 4}\n', 60)
    assert reason(given) is None
    assert summary(given["lines"]) == {"first_step": 9, "step": 2, "peak_gb": 4}


@pytest.mark.slow
@pytest.mark.parametrize(
    "command, text, seconds, why",
    [
        (["json.tool"], "no JSON", 60, "Expecting value"),
        (["timeit", "-n1", "-r1", "import time; time.sleep(60)"], "", 1, "1 s"),
        (["json.tool"], "{}", 0.5, "no time left"),
        (["no_such_module"], "", 60, "No module named"),
    ],
)
def test_a_process_that_fails_says_why(command, text, seconds, why):
    assert why in reason(run(command, text, seconds))


def test_the_ratio_is_that_of_the_better_layout():
    found = [ratio(ROWS, row) for row in ROWS]
    assert found == [4.0, None, None, None, None]


def test_the_table():
    lines = as_table({"check": CHECK, "rows": ROWS}).splitlines()
    assert "weights 1.0e-06 (at most 0.01), exact 5.0e-01" in lines[0]
    assert lines[0].count("FAILED") == 1
    assert lines[4] == "| exact | graph | 0.5000 |  |  | 2.00 | 4.00 |"
    assert lines[7] == "| exact | XLA | failed: no time left | | | | |"
    failed = {"check": None, "check_failed": "broken", "rows": []}
    assert "failed: broken" in as_table(failed)
