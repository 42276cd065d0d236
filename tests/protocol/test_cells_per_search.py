"""Several likely cells of each search in the selection of an experiment."""

from __future__ import annotations

import json

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import folder, report, stages
from darts_tf.protocol.plan import selected
from tests.protocol.running import key, run, write
from tests.protocol.stub import cell, searched, trained


def likely(*seeds: int) -> dict[str, str]:
    """Returns the file of a search whose most likely cells are those of these seeds."""
    return {"likely.json": json.dumps([json.loads(cell(seed)) for seed in seeds])}


@pytest.fixture
def plan(stub, values):
    """Two searches of three cells each, of which both have cell 1; 2 is the best."""
    values |= {"search_seeds": 2, "evaluate_seeds": 1, "cells_per_search": 3}
    plan = folder.make_plan(values)
    for seed, cells in ((0, (0, 1, 2)), (1, (1, 3, 4, 5))):
        files = searched(cells[0]) | likely(*cells)
        stub.rule("train.search", f"--seed={seed}", files=files)
    for number, error in enumerate((0.4, 0.3, 0.1, 0.2, 0.5, 0.0)):
        stub.rule(f"/short/{key(plan, number)}", files=trained(valid=error))
    return plan


def test_each_distinct_cell_is_trained_once_and_the_best_selected(plan, stub):
    run(plan)
    places = [words[-1].rpartition("/")[2] for words in stub.calls("/short/")]
    assert places == [key(plan, number) for number in (0, 1, 2, 3, 4)]
    assert selected(plan) == key(plan, 2)
    results = report.write(plan)
    assert results["cells"][key(plan, 1)]["seeds"] == [0, 1]
    assert [name for name, c in results["cells"].items() if c["selected"]] == [
        key(plan, 2)
    ]
    assert not stages.missing(plan)
    assert stub.calls("/full/")


def test_tasks_are_numbered_by_search_then_place(plan):
    before = [task.lacking for task in stages.STAGES["short"](plan)]
    assert before == ["search_0"] * 3 + ["search_1"] * 3
    run(plan, "search")
    tasks = stages.STAGES["short"](plan)
    assert [task.name for task in tasks] == [f"short_{n}" for n in range(6)]
    assert [task.child is None for task in tasks] == [False] * 3 + [True, False, False]


def test_a_small_search_has_fewer_cells(plan, stub):
    stub.rule("train.search", "--seed=1", files=searched(3) | likely(3))
    run(plan)
    assert not stages.missing(plan)
    assert len(stub.calls("/short/")) == 4


def test_rungs_take_all_cells(stub, values, plan):
    write(values, "short_flags", "--dataset=digits\n--epochs=4\n--valid_fraction=0.2\n")
    values |= {"selection_rungs": 2, "selection_reduction": 4}
    plan = folder.make_plan(values)
    for number, error in enumerate((0.4, 0.3, 0.1, 0.2, 0.5)):
        part = {"valid": {"error": error}, "seconds": 1, "devices": 1}
        files = {"after_1_epochs.json": json.dumps(part)}
        stub.rule(f"/short/{key(plan, number)}", "--stop_after_epochs=1", files=files)
    run(plan)
    assert selected(plan) == key(plan, 2)
    assert [rung["cells"] for rung in report.write(plan)["rungs"]] == [5, 1]
    assert len(stages.STAGES["short"](plan)) == 12


@pytest.mark.parametrize("text", ["", "{}", '["a"]', '[{"space": "darts_conv"}]'])
def test_a_damaged_list_is_named_with_what_writes_it_again(plan, text):
    run(plan, "search")
    plan.search(0).likely.write_text(text)
    with pytest.raises(InputError, match="likely.json cannot .* train.derive"):
        run(plan, "short")


def test_random_search_strategies_have_no_likely_cells(values):
    write(values, "search_flags", "--strategy=evolution\n--estimator=low_fidelity\n")
    values |= {"cells_per_search": 2}
    with pytest.raises(InputError, match="evolution has none"):
        folder.make_plan(values)


@pytest.mark.parametrize("within", [True, False])
def test_the_best_likely_cell_within_the_target_is_selected(stub, values, within):
    """Although the derived cell of that search is above it."""
    write(values, "search_flags", "--dataset=digits\n--cost=parameters\n")
    values |= {"search_seeds": 2, "evaluate_seeds": 1, "cells_per_search": 2}
    values |= {"cost_targets": ("1M",)}
    whole = folder.make_plan(values)
    for seed, derived in ((0, 2_000_000), (1, 3_000_000)):
        cost = {"parameters": {"derived": derived, "target": 1_000_000}}
        result = {"cost": cost, "likely_within_targets": within and seed == 0}
        files = searched(seed) | likely(2 * seed, 2 * seed + 1)
        files["result.json"] = json.dumps(json.loads(files["result.json"]) | result)
        stub.rule("train.search", f"--seed={seed}", files=files)
    for number, error in enumerate((0.4, 0.3, 0.1, 0.2)):
        stub.rule(f"/short/{key(whole, number)}", files=trained(valid=error))
    run(whole)
    (plan,) = whole.parts
    assert selected(plan) == key(plan, 1 if within else 2)
