"""Successive halving among the short trainings of an experiment."""

from __future__ import annotations

import json

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import folder, report, stages
from darts_tf.protocol.plan import on_rungs, selected
from darts_tf.run.process.children import Parent
from tests.protocol.running import claim, key, run, write
from tests.protocol.stub import searched, trained

SHORT = "--dataset=digits\n--epochs=4\n--valid_fraction=0.2\n"


def part(epochs: int, error: float) -> dict[str, str]:
    """Returns the file of a training that was stopped after so many epochs."""
    content = {"epochs": epochs, "valid": {"error": error}, "seconds": 5, "devices": 2}
    return {f"after_{epochs}_epochs.json": json.dumps(content)}


@pytest.fixture
def plan(stub, values):
    """Five searches; rungs of 1, 2 and 4 epochs; the later cell is the better one."""
    write(values, "short_flags", SHORT)
    values |= {"search_seeds": 5, "selection_rungs": 3, "selection_reduction": 2}
    plan = folder.make_plan(values)
    stub.rule("train.search", "--seed=4", files=searched(4))
    for seed in range(5):
        place = f"/short/{key(plan, seed)}"
        error = 0.5 - seed / 10
        stub.rule(place, files=trained(valid=error))
        for epochs in (1, 2):
            stopped = f"--stop_after_epochs={epochs}"
            stub.rule(place, stopped, files=part(epochs, error))
    return plan


def trainings(stub) -> list[tuple[str, str]]:
    """Returns (key, epochs after which it stops, or all) of each short training."""
    result = []
    for words in stub.calls("/short/"):
        values = dict(w.lstrip("-").split("=", 1) for w in words if "=" in w)
        epochs = values.get("stop_after_epochs", "all")
        result.append((values["workdir"].rpartition("/")[2], epochs))
    return result


def test_the_best_half_of_each_rung_is_trained_on(plan, stub):
    run(plan)
    keys = [key(plan, seed) for seed in range(5)]
    assert trainings(stub) == [
        *((k, "1") for k in keys),
        (keys[4], "2"),
        (keys[3], "2"),
        (keys[4], "all"),
    ]
    assert selected(plan) == keys[4] and not stages.missing(plan)
    results = report.write(plan)
    assert [rung["cells"] for rung in results["rungs"]] == [5, 2, 1]
    # 4 that ended early have 5 seconds on 2 devices each, the last one 10 on 1.
    assert results["device_seconds"]["selection"] == 4 * 10 + 10
    assert "5 for 1 epochs, 2 for 2 epochs, 1 for 4" in report.format_summary(results)


def test_killed_it_goes_on_where_it_was(plan, stub):
    run(plan, "search", "short")
    whole = trainings(stub)
    top = plan.short(on_rungs(plan)[2][0])
    top.result.unlink()
    stub.forget()
    run(plan, "short")
    assert trainings(stub) == whole[-1:]


def test_array_jobs_number_the_rungs_one_after_another(plan, stub):
    run(plan, "search")
    with Parent() as parent:

        def task(number):
            return stages.run_task(plan, "short", number, parent)

        with pytest.raises(InputError, match="short_5 cannot begin: it needs rung 1"):
            task(5)
        assert [task(number) for number in range(5)] == [0] * 5
        assert [task(number) for number in (9, 6, 5)] == [0] * 3  # 9: nothing to do
        assert task(10) == 0
        with pytest.raises(InputError, match="15 tasks"):
            task(15)
    assert [epochs for _, epochs in trainings(stub)][-3:] == ["2", "2", "all"]
    assert not stages.missing(plan, ["short"])


def test_a_training_that_fails_is_not_promoted_and_holds_nobody_up(plan, stub):
    best = key(plan, 4)
    stub.rule(f"/short/{best}", "--stop_after_epochs=1", code=1, says="error: diverged")
    run(plan)
    assert selected(plan) == key(plan, 3)
    assert (best, "2") not in trainings(stub)


def test_too_few_epochs_are_refused(stub, values):
    values |= {"selection_rungs": 2}
    with pytest.raises(InputError, match="at least 4 epochs for one on the lowest"):
        folder.make_plan(values)


def test_an_experiment_of_before_goes_on(stub, values):
    claim(values)
    claim(values | {"selection_rungs": 1, "selection_reduction": 4})
