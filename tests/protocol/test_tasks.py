"""The arguments of the children of each stage."""

from __future__ import annotations

from darts_tf.protocol import folder, stages
from darts_tf.protocol.plan import selected
from tests.protocol.running import run
from tests.protocol.stub import cell, searched


def test_a_child_gets_its_flags(plan, stub, values):
    run(plan)
    search, short, full = stub.calls()[0], stub.calls()[3], stub.calls()[-1]
    assert search[:2] == ["-m", "train.search"] and "--seed=0" in search
    assert f"--flagfile={values['search_flags']}" in search
    assert f"--flagfile={values['short_flags']}" in short
    assert "--space=darts_conv" in short and "--seed=0" in short
    assert f"--flagfile={values['evaluate_flags']}" in full
    assert "--seed=1" in full
    assert "--notest" in short and "--test" in full  # what chooses reads no test part
    assert f"--genotype={plan.cell(selected(plan))}" in full
    assert plan.cell(selected(plan)).read_text() in map(cell, range(3))


def test_places_are_handed_on(values, stub):
    places = {"data_dir": "data", "plugin": "/mine.py"}
    run(folder.make_plan(values | places | {"nasbench201_table": "t.csv"}))
    for name, path in places.items():
        assert len(stub.calls(f"--{name}={path}")) == len(stub.calls())
    assert len(stub.calls("--nasbench201_table=t.csv")) == 3


def test_equal_cells_are_trained_once(plan, stub):
    stub.rule("train.search", "--seed=2", files=searched(0))
    run(plan, "search", "short")
    assert len(stub.calls("train.evaluate")) == 2
    assert plan.cell_key(2) == plan.cell_key(0)
    assert all(t.finished for t in stages.STAGES["short"](plan))
