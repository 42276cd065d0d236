"""The picture of the progress: its numbers and its fall-backs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.protocol import folder, progress, stages
from darts_tf.run.pictures.genotypes import figure_to_array
from darts_tf.run.process.children import Parent
from tests.protocol.stub import cell, searched, trained


def metrics(**scalars) -> dict[str, str]:
    """Returns metrics.jsonl of epochs 1, 2, ... with these scalars."""
    names = {n.replace("__", "/"): values for n, values in scalars.items()}
    count = len(next(iter(names.values())))
    records = [{"kind": "steps", "step": 1, "valid/accuracy": 0.0}]
    for place in range(count):
        head = {"kind": "epoch", "step": place + 1, "epoch": place + 1}
        records.append(head | {n: v[place] for n, v in names.items()})
    text = "".join(json.dumps(record) + "\n" for record in records)
    return {"metrics.jsonl": text}


def run(plan) -> progress.Progress:
    with Parent() as parent:
        for stage in stages.STAGES:
            stages.run_stage(plan, stage, parent)
    return progress.progress(plan)


def test_without_trained_snapshots_it_is_the_supernets_own(plan, stub):
    for seed in range(3):
        files = metrics(valid__accuracy=[0.25, 0.5, 0.375 + seed / 8])
        stub.rule("train.search", f"--seed={seed}", files=searched(seed) | files)
    data = run(plan)
    assert data.source.startswith("of the supernet")
    assert data.curves[0] == ([1, 2, 3], [75, 50, 62.5])
    assert data.curves[2] == ([1, 2, 3], [75, 50, 37.5])
    figure = progress.draw(data, "error", "ours")
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["seed 0"].get_ydata()) == [75, 50, 50]
    median = lines["median of the best so far"]
    assert list(median.get_ydata()) == [75, 50, 50]
    assert "of the supernet" in figure.axes[0].get_title()
    assert np.ptp(figure_to_array(figure)) > 0


def test_what_was_learned_from_is_no_validation(plan, stub):
    files = metrics(union__accuracy=[0.25, 0.5])
    stub.rule("train.search", files=searched(0) | files)
    data = run(plan)
    assert data.source.endswith("on data that it learned from")
    assert data.curves[1] == ([1, 2], [75, 50])
    figure = progress.draw(data, "error", "ours")
    assert figure.axes[0].get_ylabel().startswith("training error")


def test_the_truth_comes_before_the_supernet(plan, stub):
    files = metrics(valid__accuracy=[0.5], true__cifar10_test_200ep=[93.0])
    stub.rule("train.search", files=searched(0) | files)
    data = run(plan)
    assert data.source.startswith("true")
    assert data.curves[1] == ([1], [7.0])
    figure = progress.draw(data, "error", "ours")
    assert figure.axes[0].get_ylabel().startswith("true error")


def test_trained_snapshots_come_first(values, stub):
    epochs = {f"genotypes/epoch_{e:04d}.json": cell(e) for e in range(1, 5)}
    files = metrics(valid__accuracy=[0.5] * 4)
    stub.rule("train.search", files=searched(4) | epochs | files)
    plan = folder.make_plan(values | {"search_seeds": 1, "snapshots": 2})
    with Parent() as parent:
        stages.run_stage(plan, "search", parent)
    keys = [plan.add_cell(path) for path in plan.epochs(0)]
    for key, valid in zip(keys, (0.3, 0.4)):
        stub.rule(f"/short/{key}", files=trained(valid=valid))
    data = run(plan)
    assert data.source == "each cell after short training"
    assert data.curves == {0: ([2, 4], [30.0, 40.0])}


def test_of_language_it_is_the_perplexity(values, stub, tmp_path):
    for name in ("search", "short", "evaluate"):
        path = tmp_path / f"{name}.flags"
        path.write_text("--space=darts_recurrent\n")
    files = metrics(valid__perplexity=[120.0, 100.0])
    stub.rule("train.search", files={"metrics.jsonl": files["metrics.jsonl"]})
    plan = folder.make_plan(values | {"search_seeds": 1})
    with Parent() as parent:
        stages.run_stage(plan, "search", parent)
    data = progress.progress(plan)
    assert data.curves == {0: ([1, 2], [120.0, 100.0])}


def test_of_strategies_that_ask_it_is_what_they_were_told(values, stub, tmp_path):
    (tmp_path / "search.flags").write_text("--strategy=random\n")
    lines = [{"step": k + 1, "worth": w} for k, w in enumerate([0.5, 0.75])]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    files = searched(0) | {"evaluations.jsonl": text}
    stub.rule("train.search", files=files)
    data = run(folder.make_plan(values))
    assert data.x == "evaluations" and data.curves[2] == ([1, 2], [50, 25])


def test_of_random_genotypes_it_is_one_curve(values, stub):
    for seed in range(3):
        stub.rule(
            "train.derive", f"--random={seed}", files={"genotype.json": cell(seed)}
        )
    plan = folder.make_plan(
        values | {"search_flags": None, "random_genotypes": "darts_conv"}
    )
    data = run(plan)
    assert data.curves == {0: ([1, 2, 3], [50, 50, 50])}


def test_nothing_yet_is_a_picture(plan):
    data = progress.progress(plan)
    assert data.curves == {}
    progress.draw(data, "error", "ours")


def test_the_median_is_over_numbers_that_all_have_passed():
    data = progress.Progress(
        {0: ([1, 3], [9.0, 5.0]), 1: ([2, 3, 4], [7.0, 8.0, 1.0])}, "x", "s"
    )
    numbers, median = progress._median(data)
    assert list(numbers) == [2, 3] and list(median) == [8.0, 6.0]


def test_best_so_far():
    values = [3.0, 4.0, 2.0, 5.0]
    assert list(progress.best_so_far(values)) == pytest.approx([3, 3, 2, 2])
