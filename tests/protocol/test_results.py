"""The numbers of a report, recomputed by hand from the files of the runs."""

from __future__ import annotations

import json
import statistics

import pytest

from darts_tf.protocol import folder, results, stages
from darts_tf.run.process.children import Parent
from tests.protocol.running import done
from tests.protocol.stub import searched, trained


def test_the_best_by_validation_is_trained_and_its_spread_told(plan, stub):
    # The cell with the best test error of the short trainings is another.
    for seed, (valid, test) in enumerate([(0.3, 0.1), (0.2, 0.3), (0.4, 0.2)]):
        with Parent() as parent:
            stages.run_task(plan, "search", seed, parent)
        stub.rule(f"/short/{plan.cell_key(seed)}", files=trained(valid, test))
    stub.rule("/full/", "--seed=0", files=trained(test=0.21, seconds=7.0))
    stub.rule("/full/", "--seed=1", files=trained(test=0.25, seconds=9.0))
    results = done(plan)
    assert results == json.loads((plan.root / "results.json").read_text())
    assert results["selected"] == plan.cell_key(1)
    assert results["test"] == {
        "mean": pytest.approx(0.23),
        "deviation": pytest.approx(statistics.stdev([0.21, 0.25])),
        "values": [0.21, 0.25],
    }
    assert results["valid"] is None  # nothing held out
    assert results["top5"] is None
    assert results["device_seconds"] == {
        "search": 3 * 100 * 2,
        "selection": 30,
        "full": 16,
    }
    assert results["search_cost"] == 600
    assert results["missing"] == [] and results["evaluations"] is None
    assert (results["operations"], results["method"]) == (7, "gradient-based")
    assert results["genotype"]["space"] == "darts_conv"
    table = (plan.root / "table.md").read_text()
    assert "| 23.00 ± 2.83 (2) | 3.3 | 27.2 | 10 | 7 |" in table
    assert f"| 1 | {plan.cell_key(1)} | 20.00 | yes |" in table
    latex = (plan.root / "table.tex").read_text()
    assert r"darts (first\_order) & 23.00 $\pm$ 2.83 (2) & 3.3" in latex
    assert (plan.root / "progress.png").read_bytes().startswith(b"\x89PNG")


def test_the_top_five_where_they_are_measured(plan, stub):
    for seed, share in enumerate((0.04, 0.06)):
        files = trained(test=0.2, top5_error=share)
        stub.rule("/full/", f"--seed={seed}", files=files)
    results = done(plan)
    assert results["top5"] == pytest.approx(0.05)
    table = (plan.root / "table.md").read_text()
    assert "| 20.00 ± 0.00 (2) | 5.00 | 3.3 |" in table


def test_random_genotypes_cost_their_short_trainings(values, stub):
    for seed in range(3):  # two of the three are the same
        files = {"genotype.json": searched(seed // 2)["genotype.json"]}
        stub.rule("train.derive", f"--random={seed}", files=files)
    results = done(
        folder.make_plan(
            values
            | {
                "search_flags": None,
                "random_genotypes": "darts_conv",
            }
        )
    )
    assert results["search_cost"] == 20 and results["evaluations"] == 2
    assert results["method"] == "random" and not results["missing"]
    (cell,) = [c for c in results["cells"].values() if c["selected"]]
    assert cell["seeds"] == [0, 1]


def test_evaluations_are_counted_over_the_seeds(values, stub):
    for seed in range(3):
        files = searched(seed, evaluations=40)
        stub.rule("train.search", f"--seed={seed}", files=files)
    results = done(folder.make_plan(values))
    assert results["evaluations"] == 120


def test_spreads():
    assert results.spread([]) is None
    assert results.spread([2.0]) == {"mean": 2.0, "deviation": None, "values": [2.0]}


def test_operations_are_counted_without_zero():
    assert results.operations("darts_conv") == 7
    assert results.operations("darts_recurrent") == 4
    assert results.operations("nasbench201") == 4
    assert results.operations("s2") == 2
