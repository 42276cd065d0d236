"""The order of the tasks, the skipped ones, and the effect of a failure."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import folder, stages
from darts_tf.protocol.plan import selected
from darts_tf.run.process.children import Parent
from tests.protocol.running import key, run
from tests.protocol.stub import cell, searched, trained


def programs(stub) -> list[str]:
    """Returns the folder of each call, relative to the experiment's."""
    return [
        word.partition("/run/")[2]
        for words in stub.calls()
        for word in words
        if word.startswith("--workdir=")
    ]


def test_every_stage_in_its_order(plan, stub):
    stub.rule(f"/short/{key(plan, 1)}", files=trained(valid=0.1))
    run(plan)
    keys = [plan.cell_key(seed) for seed in plan.seeds]
    assert len(set(keys)) == 3
    assert programs(stub) == [
        "search/seed_0",
        "search/seed_1",
        "search/seed_2",
        *(f"short/{k}" for k in keys),
        f"full/{keys[1]}/seed_0",
        f"full/{keys[1]}/seed_1",
    ]
    assert selected(plan) == keys[1] and not stages.missing(plan)


def test_every_run_is_told_to_keep_to_the_data_of_the_others(plan, stub):
    run(plan)
    assert len(stub.calls(f"--same_data_as={plan.root}")) == len(stub.calls()) > 6


def test_what_is_finished_is_passed_over(plan, stub):
    run(plan)
    stub.forget()
    run(plan)
    assert not stub.calls()


def test_the_others_go_on_and_the_failure_is_told(plan, stub, capfd):
    stub.rule("train.search", "--seed=1", code=3, says="error: no luck")
    run(plan)
    assert len(stub.calls("/full/")) == 2
    said = capfd.readouterr().err
    assert "search_1: failed with exit code 3 (error: no luck)" in said
    assert str(plan.log("search_1")) in said
    lines = stages.missing(plan)
    assert len(lines) == 2
    assert "exit code 3 (error: no luck)" in lines[0]
    assert lines[1] == "short_1: not begun; it needs search_1"


def test_started_again_it_tries_what_failed(plan, stub):
    stub.rule("train.search", "--seed=1", code=3)
    run(plan)
    stub.rules.pop(0)
    stub.rule(f"/short/{key(plan, 1)}", files=trained(valid=0.3))
    stub.forget()
    run(plan)
    # The new cell is the best now and gets trainings of its own.
    assert programs(stub) == [
        "search/seed_1",
        f"short/{key(plan, 1)}",
        f"full/{key(plan, 1)}/seed_0",
        f"full/{key(plan, 1)}/seed_1",
    ]
    assert not stages.missing(plan)


def test_nothing_is_trained_in_full_without_a_selection(plan, stub):
    stub.rule("train.evaluate", "/short/", code=1)
    run(plan)
    assert selected(plan) is None and not stub.calls("/full/")
    assert any("full_0: not begun" in line for line in stages.missing(plan))


def test_a_child_that_stopped_is_not_finished_nor_failed(plan, stub):
    stub.rule("train.search", "--seed=0", code=0)  # no result
    run(plan, "search")
    assert not plan.outcome("search_0").exists()
    assert "search_0: not finished" in stages.missing(plan)


def test_one_task_of_a_stage(plan, stub):
    with Parent() as parent:
        assert stages.run_task(plan, "search", 2, parent) == 0
        assert programs(stub) == ["search/seed_2"]
        assert stages.run_task(plan, "search", 2, parent) == 0
        assert len(stub.calls()) == 1
        assert json.loads(plan.outcome("search_2").read_text())["code"] == 0
        with pytest.raises(InputError, match="it needs search_1"):
            stages.run_task(plan, "short", 1, parent)
        with pytest.raises(InputError, match="has 3 tasks, counted from 0"):
            stages.run_task(plan, "search", 3, parent)
        stub.rule("train.search", "--seed=1", code=9)
        assert stages.run_task(plan, "search", 1, parent) == 9


def test_random_genotypes_in_the_place_of_searches(values, stub):
    for seed in range(3):
        stub.rule(
            "train.derive", f"--random={seed}", files={"genotype.json": cell(seed)}
        )
    values |= {"search_flags": None, "random_genotypes": "darts_conv"}
    plan = folder.make_plan(values)
    run(plan)
    assert len(stub.calls("train.derive")) == 3
    assert len(stub.calls("--space=darts_conv")) == len(stub.calls())
    assert not stages.missing(plan)


def test_snapshots_are_spread_over_the_epochs(values, stub):
    values |= {"snapshots": 2, "search_seeds": 1}
    epochs = {f"genotypes/epoch_{e:04d}.json": cell(e) for e in range(1, 6)}
    stub.rule("train.search", files=searched(5) | epochs)
    plan = folder.make_plan(values)
    run(plan)
    assert [p.stem[-1] for p in plan.epochs(0)] == ["2", "5"]
    # The cell of the last epoch is that of the search.
    short = stub.calls("/short/")
    assert len(short) == 2 and key(plan, 2) in " ".join(short[-1])


def test_gpus_are_shared_out(plan, stub):
    run(plan, "search", groups=[["0", "2"], ["1"]])
    assert set(stub.gpus()) == {"0,2", "1"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_children_and_ends_the_stages(plan, stub, number, capfd):
    stub.rule("train.search", seconds=30)
    start = time.monotonic()

    def send() -> None:
        while not stub.calls() and time.monotonic() < start + 10:
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    with Parent() as parent:
        sender.start()
        stages.run_stage(plan, "search", parent)
        code = stages.stopped(parent)
    sender.join()
    assert time.monotonic() - start < 15
    assert code == (0 if number == signal.SIGTERM else 130)
    assert len(stub.calls()) == 1 and not plan.outcome("search_0").exists()
    assert "search_0: stopped" in capfd.readouterr().err
