"""Experiments, searches by evaluation and published numbers side by side."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import comparison, folder, stages
from darts_tf.protocol.published import CIFAR10
from darts_tf.protocol.tables import Row
from darts_tf.run.loop.metrics import MetricsLog
from darts_tf.run.pictures.genotypes import figure_to_array
from darts_tf.run.process.children import Parent
from darts_tf.run.workdir import open_workdir


def search(path, result, **flags) -> str:
    """Writes the folder of a search."""
    stored = {
        "strategy": "random",
        "estimator": "table",
        "space": "nasbench201",
        "seed": 4,
    } | flags
    open_workdir(path, stored, "").close()
    if result:
        (path / "result.json").write_text(json.dumps(result))
    return str(path)


def asked(**more) -> dict:
    return {
        "evaluations": 200,
        "evaluation_seconds": 9.0,
        "worth": 0.9,
        "devices": 2,
    } | more


def test_an_experiment_however_far_it_is(plan, stub):
    with folder.claim(plan, alone=True), Parent() as parent:
        pass
    (row,), measure = comparison.read(str(plan.root))
    assert measure == ("error", "digits")
    assert row.incomplete and row.test is None
    with Parent() as parent:
        for stage in stages.STAGES:
            stages.run_stage(plan, stage, parent)
    (row,), _ = comparison.read(str(plan.root))
    assert (row.test, row.count, row.cost) == (0.25, 2, 600)
    assert not row.incomplete and row.name == "darts (first_order)"


def test_a_search_that_asked(tmp_path):
    true = {"cifar10_test_200ep": 94.0, "rank": 9}
    path = search(tmp_path / "a", asked(true=true))
    (row,), measure = comparison.read(path)
    assert measure == ("error", "cifar10")
    assert row.name == f"{tmp_path.name}/a: random (table), seed 4"
    assert (row.test, row.valid) == pytest.approx((0.06, 0.1))
    assert (row.cost, row.evaluations, row.operations) == (18.0, 200, 4)
    text = search(
        tmp_path / "b",
        asked(worth=-math.log(100)),
        space="darts_recurrent",
        estimator="full",
        dataset="text_folder",
    )
    (row,), measure = comparison.read(text)
    assert measure == ("perplexity", "text_folder") and row.test is None
    assert row.valid == pytest.approx(100)


def test_a_search_by_descent(tmp_path):
    """Its accuracy is the supernet's, and no measure of the cell."""
    path = search(
        tmp_path / "a",
        {"seconds": 30.0, "devices": 2},
        strategy="darts",
        estimator=None,
        method="exact",
        space="darts_conv",
        dataset="digits",
    )
    log = MetricsLog(tmp_path / "a" / "metrics.jsonl")
    log.append({"step": 1, "valid/accuracy": 0.5})
    log.append({"step": 2, "valid/accuracy": 0.75})
    (row,), measure = comparison.read(path)
    assert measure == ("error", "digits")
    assert row.name == f"{tmp_path.name}/a: darts (exact), seed 4"
    assert (row.test, row.valid, row.supernet, row.cost) == (None, None, 0.25, 60.0)
    assert row.method == "gradient-based" and not row.incomplete


def test_a_search_that_has_not_finished(tmp_path):
    (row,), _ = comparison.read(search(tmp_path / "a", None))
    assert row.incomplete and row.cost is row.valid is None


def test_an_evaluation(tmp_path):
    stored = {
        "space": "darts_conv",
        "genotype": "runs/a/genotype.json",
        "dataset": "digits",
        "seed": 1,
    }
    open_workdir(tmp_path / "b", stored, "").close()
    (unfinished,), _ = comparison.read(str(tmp_path / "b"))
    assert unfinished.incomplete and unfinished.test is None
    result = {
        "test": {"error": 0.1, "top5_error": 0.01},
        "valid": {"error": 0.2},
        "parameters": 9,
        "multiply_adds": 99,
        "seconds": 5.0,
    }
    (tmp_path / "b" / "result.json").write_text(json.dumps(result))
    (row,), measure = comparison.read(str(tmp_path / "b"))
    assert measure == ("error", "digits")
    assert row.name == f"{tmp_path.name}/b: genotype.json, seed 1"
    assert (row.test, row.top5, row.valid) == (0.1, 0.01, 0.2)
    assert (row.parameters, row.multiply_adds, row.training) == (9, 99, 5.0)
    assert row.cost is None


def test_a_folder_of_something_else(tmp_path):
    open_workdir(tmp_path, {"out": "x", "space": "s2"}, "").close()
    with pytest.raises(InputError, match="no experiment, search or evaluation"):
        comparison.read(str(tmp_path))


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(InputError, match="is no folder of a run"):
        comparison.read(str(tmp_path))


def test_data_sets_do_not_compare():
    one, other = ("error", "cifar10"), ("error", "digits")
    assert comparison.same_measure([one, one]) == "error"
    with pytest.raises(InputError, match=r"cifar10 \(error\), digits"):
        comparison.same_measure([one, other])


def test_every_published_row_has_its_source():
    rows = [
        Row(name="ours"),
        Row(name="a", published="x"),
        Row(name="b", published="y"),
        Row(name="c", published="x"),
    ]
    text = comparison.sources(rows)
    assert text.endswith("\n- x: a, c\n- y: b")
    assert comparison.sources(rows[:1]) == ""


def test_the_picture():
    rows = [
        Row(name="ours", test=0.1, deviation=0.01, cost=50.0),
        Row(name="asked", test=0.2, cost=9.0, evaluations=200),
        Row(name="unfinished", cost=9.0),
        *CIFAR10,
    ]
    figure = comparison.draw(rows, "error")
    left, right = figure.axes
    labels = [bars.get_label() for bars in left.containers]
    assert labels[:2] == ["ours", "asked"]
    assert len(labels) == 2 + sum(row.cost is not None for row in CIFAR10)
    assert "DARTS (second order) + cutout (published)" in labels
    assert [b.get_label() for b in right.containers] == ["asked"]
    (point,) = right.containers[0].lines[0].get_xydata()
    assert list(point) == [200, 20]
    assert np.ptp(figure_to_array(figure)) > 0
    assert len(comparison.draw(rows[:1], "error").axes) == 1


def test_evaluations_are_drawn_against_their_parameters():
    rows = [Row(name="a", test=0.1, parameters=5e3), Row(name="b", cost=3.0)]
    (axes,) = comparison.draw(rows, "error").axes
    assert axes.get_xlabel() == "parameters" and len(axes.containers) == 1
