"""The parts of an experiment, by its arguments and flagfiles."""

from __future__ import annotations

import pytest

from darts_tf.protocol import folder
from tests.protocol.running import write
from tests.protocol.stub import cell


def test_a_text_has_one(values, stub):
    for name in ("search_flags", "short_flags", "evaluate_flags"):
        write(values, name, "--space=darts_recurrent\n")
    plan = folder.make_plan(values)
    assert plan.measure == "perplexity"
    assert plan.name == "darts (finite_difference)"


def test_an_ablation_has_a_name_of_its_own(values, stub):
    write(values, "search_flags", "--optimization=joint_simultaneous\n")
    assert folder.make_plan(values).name == "darts (joint_simultaneous)"


@pytest.mark.parametrize("count, wanted", [(3, [2, 3, 5]), (9, range(1, 6))])
def test_which_snapshots(values, stub, count, wanted):
    plan = folder.make_plan(values | {"snapshots": count})
    path = plan.search(0).genotypes
    path.mkdir(parents=True)
    for epoch in range(1, 6):
        (path / f"epoch_{epoch:04d}.json").write_text(cell(epoch))
    assert [int(p.stem[-1]) for p in plan.epochs(0)] == list(wanted)
