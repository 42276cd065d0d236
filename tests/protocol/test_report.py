"""The report of an experiment with missing parts, and of the selected cell."""

from __future__ import annotations

from darts_tf.data.nasbench201_table import RANKED
from darts_tf.protocol import folder, report
from tests.protocol.running import done
from tests.protocol.stub import searched


def test_an_unfinished_experiment_has_a_report_too(plan, stub):
    stub.rule("train.search", "--seed=0", code=1, says="error: full disk")
    stub.rule("/full/", "--seed=1", code=1)
    results = done(plan)
    assert len(results["missing"]) == 3 and len(results["full"]) == 1
    assert results["test"]["deviation"] is None
    assert results["searches"][0]["cell"] is None
    text = (plan.root / "table.md").read_text()
    assert "(incomplete)" in text and "error: full disk" in text
    page = (plan.root / "report.html").read_text()
    assert "(incomplete)" in page and "error: full disk" in page
    assert page.count("<img") == 2  # the searches and the selected cell


def test_nothing_at_all_is_a_report(plan):
    results = report.write(plan)
    assert results["test"] is None and results["selected"] is None
    assert results["genotype"] is None and len(results["missing"]) == 8
    assert "Selected cell" not in (plan.root / "report.html").read_text()


def test_the_truth_of_the_selected_cell(values, stub):
    for seed in range(3):
        true = {RANKED: 93.5, "rank": seed + 1, "cells": 15_625}
        files = searched(seed, true=true)
        stub.rule("train.search", f"--seed={seed}", files=files)
    plan = folder.make_plan(values)
    assert done(plan)["true"]["rank"] == 1  # equals: the lowest seed
    text = (plan.root / "table.md").read_text()
    assert "selected cell: 93.50 %, rank 1 of 15,625." in text
