"""The tables of what search steps and programs take of memory."""

from __future__ import annotations

import json

import pytest

from benchmarks.speed import memory_report as report

COMMON = {
    "method": "first_order",
    "batch_size": 32,
    "micro_batches": 1,
    "precision": "float32",
    "step_cpu": 1.5,
    "first_step_cpu": 18.6,
    "peak_gb": 2.0,
}
ROW = COMMON | {
    "space": "darts_conv",
    "channels": 8,
    "layers": 4,
    "recompute": False,
    "partial_channels": 1,
    "lambda_regularizer": "none",
}
TEXT = COMMON | {
    "space": "darts_recurrent",
    "hidden_size": 64,
    "words": 900,
    "bptt": 20,
}
RUN = {"run": "a", "command": "train.x --y", "told_gb": 1.1, "peak_gb": 1.0}


def parsed(text: str) -> list[list[str]]:
    lines = [x for x in text.splitlines() if x.startswith("|")]
    return [[c.strip() for c in x.split("|")[1:-1]] for x in lines]


@pytest.mark.slow
def test_rows_are_in_order_and_tell_how_far_the_estimate_is_off():
    rows = [
        ROW | {"method": "exact"},
        *(ROW | more for more in report.WAYS.values()),
        ROW | {"batch_size": 8},
    ]
    cells = parsed(report.table(rows[::-1]))
    head, rule, *body = cells
    assert len({len(row) for row in cells}) == 1 and set(rule) == {"---"}
    sizes = [row[0] for row in body]
    assert sizes == ["8, 4, 8"] + ["8, 4, 32"] * (len(report.WAYS) + 1)
    assert [row[2] for row in body[1:]] == [*report.WAYS, "plain"]
    assert body[-1][1] == "exact"
    total = report.estimate(ROW)
    assert body[1][4:6] == [f"{total:.2f}", f"{100 * (total / 2 - 1):+.0f} %"]
    assert len({row[4] for row in body}) > 5  # ways are told apart
    assert body[1][6:] == ["1.50", "19"]
    untimed = {n: v for n, v in ROW.items() if "cpu" not in n}
    assert parsed(report.table([untimed]))[-1][6:] == ["-", "-"]


@pytest.mark.slow
def test_text_has_a_table_of_its_own():
    sliced = TEXT | {"micro_batches": 2}
    cells = parsed(report.table([sliced, ROW, TEXT]))
    assert [row[0] for row in cells if row[1] == "first_order"] == [
        "8, 4, 32",
        "64, 900, 20, 32",
        "64, 900, 20, 32",
    ]
    assert [row[2] for row in cells[-2:]] == ["plain", "--micro_batches=2"]
    total = report.estimate(TEXT)
    assert cells[-2][4] == f"{total:.2f}"


def test_programs_join_what_is_measured_in_a_folder(tmp_path):
    (tmp_path / "memory.jsonl").write_text(json.dumps(ROW) + "\n")
    assert "train.x" not in report.report(tmp_path)
    (tmp_path / "program_memory.jsonl").write_text(json.dumps(RUN) + "\n")
    last = parsed(report.report(tmp_path))[-1]
    assert last == ["`train.x --y`", "1.00", "1.1", "+10 %"]
