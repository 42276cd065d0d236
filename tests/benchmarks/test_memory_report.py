"""The table of what a search step takes of memory."""

from __future__ import annotations

from benchmarks import memory_report as report
from train import memory

ROW = {
    "space": "darts_conv", "method": "first_order", "batch_size": 32,
    "channels": 8, "layers": 4, "micro_batches": 1, "recompute": False,
    "partial_channels": 1, "step_cpu": 1.5, "first_step_cpu": 18.6, "peak_gb": 2.0,
}  # fmt: skip


def test_rows_are_in_order_and_tell_how_far_the_estimate_is_off():
    rows = [
        ROW | {"method": "exact"},
        *(ROW | more for more in report.WAYS.values()),
        ROW | {"batch_size": 8},
    ]
    text = report.table(rows[::-1])
    lines = [x for x in text.splitlines() if x.startswith("|")]
    cells = [[c.strip() for c in x.split("|")[1:-1]] for x in lines]
    head, rule, *body = cells
    assert len({len(row) for row in cells}) == 1 and set(rule) == {"---"}
    assert [row[0] for row in body] == ["8, 4, 8"] + ["8, 4, 32"] * 5
    assert [row[2] for row in body[1:]] == [*report.WAYS, "plain"]
    assert body[-1][1] == "exact"
    total = memory.step_of(ROW).memory().total / 1e9
    assert body[1][4:6] == [f"{total:.2f}", f"{100 * (total / 2 - 1):+.0f} %"]
