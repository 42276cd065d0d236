"""Experiments whose children are a stub: no TensorFlow, milliseconds each."""

from __future__ import annotations

import sys

import pytest

from darts_tf.protocol import command_line, folder
from darts_tf.protocol.plan import Plan
from darts_tf.run.process import children
from tests.protocol.stub import Stub, make, searched, trained


@pytest.fixture
def stub(tmp_path, monkeypatch) -> Stub:
    """A protocol that works: search seed k finds cell k."""
    programs = make(tmp_path)
    monkeypatch.setattr(sys, "executable", programs.program)
    monkeypatch.delenv(children.GPUS, raising=False)
    programs.rule("train.evaluate", files=trained(valid=0.5, test=0.4))
    programs.rule("train.evaluate", "/full/", files=trained(test=0.25))
    for seed in range(4):
        programs.rule("train.search", f"--seed={seed}", files=searched(seed))
    programs.rule("check", code=0)
    return programs


@pytest.fixture
def values(tmp_path) -> dict:
    """Flags of a small experiment, by name; its flagfiles and its folder exist."""
    (tmp_path / "run").mkdir()
    contents = {
        "search": "--dataset=digits\n--method=first_order\n",
        "short": "--dataset=digits\n--epochs=1\n--valid_fraction=0.2\n",
        "evaluate": "--dataset=digits\n--epochs=9\n",
    }
    for name, text in contents.items():
        (tmp_path / f"{name}.flags").write_text(text)
    return {
        **dict.fromkeys(
            (
                "name",
                "random_genotypes",
                "data_dir",
                "gpus",
                "nasbench201_table",
                "plugin",
                "processes",
                "stage",
                "task",
            )
        ),
        "workdir": str(tmp_path / "run"),
        **{f"{n}_flags": str(tmp_path / f"{n}.flags") for n in contents},
        "search_seeds": 3,
        "evaluate_seeds": 2,
        "snapshots": 0,
    }


@pytest.fixture
def plan(values, stub) -> Plan:
    """The plan of that experiment."""
    assert set(command_line.FREE_FLAGS) <= values.keys()
    return folder.make_plan(values)
