"""Shared steps of the tests of experiments."""

from __future__ import annotations

import pathlib

from darts_tf.protocol import folder, report, stages
from darts_tf.run.process.children import Parent
from tests.protocol.stub import cell


def claim(values, alone: bool = False) -> None:
    with folder.claim(folder.make_plan(values), alone):
        pass


def write(values, name: str, text: str) -> None:
    pathlib.Path(values[name]).write_text(text)


def run(plan, *names, groups=(None,)) -> None:
    with Parent() as parent:
        for name in names or stages.STAGES:
            stages.run_stage(plan, name, parent, groups)


def key(plan, seed: int) -> str:
    """Returns the key that a cell will have."""
    path = plan.root.parent / "cell.json"
    path.write_text(cell(seed))
    return plan.add_cell(path)


def done(plan) -> dict:
    run(plan)
    return report.write(plan)
