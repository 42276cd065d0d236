"""Experiments whose children are a stub: no TensorFlow, milliseconds each."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import sys

import pytest

from darts_tf.protocol import folder
from darts_tf.protocol.plan import Plan
from darts_tf.run import children, experiment_flags
from darts_tf.space.conv import SPACE
from darts_tf.strategy.random_choice import random_genotype

# What stands for Python: it notes how it was called, then does what the
# first rule says whose words are all among its arguments. A rule: words,
# exit code, files of the work folder by name, what it prints.
STUB = """#!{python} -IS
import json, os, pathlib, sys, time
here = pathlib.Path({folder!r})
words = sys.argv[1:]
if words[0] == "-c" or "--only_check_args" in words:
    words.insert(0, "check")
with open(here / "calls", "a") as calls:
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    calls.write(json.dumps([words, gpus]) + "\\n")
flags = dict(w.lstrip("-").split("=", 1) for w in words if "=" in w)
for rule in json.loads((here / "rules").read_text()):
    if not all(any(part in w for w in words) for part in rule["words"]):
        continue
    if rule.get("says"):
        print(rule["says"], flush=True)
    time.sleep(rule.get("seconds", 0))
    workdir = pathlib.Path(flags["workdir"])
    for name, text in rule.get("files", {{}}).items():
        (workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (workdir / name).write_text(text)
    sys.exit(rule.get("code", 0))
sys.exit(77)
"""


@dataclasses.dataclass
class Stub:
    """What the stub shall do, and how it was called."""

    path: pathlib.Path
    rules: list[dict] = dataclasses.field(default_factory=list)

    def rule(self, *words, **what) -> None:
        """Of the rules that fit, the newest counts."""
        self.rules.insert(0, {"words": words, **what})
        (self.path / "rules").write_text(json.dumps(self.rules))

    def calls(self, word: str = "train.") -> list[list[str]]:
        """The arguments of those calls that have a word."""
        return [words for words, _ in self._all()
                if any(word in w for w in words)]  # fmt: skip

    def gpus(self) -> list[str | None]:
        """CUDA_VISIBLE_DEVICES of each call."""
        return [gpus for _, gpus in self._all()]

    def forget(self) -> None:
        """Calls count from now on."""
        (self.path / "calls").unlink(missing_ok=True)

    def _all(self) -> list:
        path = self.path / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


def cell(seed: int) -> str:
    """A random cell's JSON."""
    return random_genotype(SPACE, seed).to_json()


def searched(seed: int, **more) -> dict[str, str]:
    """The files of a finished search that found `cell(seed)`."""
    result = {"seconds": 100.0, "devices": 2, **more}
    return {"genotype.json": cell(seed), "result.json": json.dumps(result)}


def trained(valid=None, test=None, seconds=10.0) -> dict[str, str]:
    """The files of a finished training, errors as shares."""
    result = {
        "valid": {} if valid is None else {"error": valid},
        "test": {"error": 1.0 if test is None else test},
        "parameters": 3_300_000,
        "multiply_adds": 27_204_096,
        "seconds": seconds,
        "devices": 1,
    }
    return {"result.json": json.dumps(result)}


@pytest.fixture
def stub(tmp_path, monkeypatch) -> Stub:
    """A protocol that works: search seed k finds cell k."""
    path = tmp_path / "stub"
    path.mkdir()
    program = path / "python"
    python = os.path.realpath(sys.executable)
    program.write_text(STUB.format(python=python, folder=str(path)))
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.delenv(children.GPUS, raising=False)
    found = Stub(path)
    found.rule("train.evaluate", files=trained(valid=0.5, test=0.4))
    found.rule("train.evaluate", "/full/", files=trained(test=0.25))
    for seed in range(4):
        found.rule(
            "train.search", f"--seed={seed}", files=searched(seed)
        )
    found.rule("check", code=0)
    return found


@pytest.fixture
def values(tmp_path) -> dict:
    """Flags of a small experiment, by name; its flagfiles exist."""
    contents = {
        "search": "--dataset=digits\n--method=first_order\n",
        "short": "--dataset=digits\n--epochs=1\n--valid_fraction=0.2\n",
        "evaluate": "--dataset=digits\n--epochs=9\n",
    }
    for name, text in contents.items():
        (tmp_path / f"{name}.flags").write_text(text)
    return {
        **dict.fromkeys(("name", "random_genotypes", "data_dir", "gpus",
                         "nasbench201_table", "processes", "stage", "task")),
        "workdir": str(tmp_path / "run"),
        **{f"{n}_flags": str(tmp_path / f"{n}.flags") for n in contents},
        "search_seeds": 3,
        "evaluate_seeds": 2,
        "snapshots": 0,
    }  # fmt: skip


@pytest.fixture
def plan(values, stub) -> Plan:
    """The plan of that experiment."""
    assert set(experiment_flags.FREE_FLAGS) - {"download"} <= values.keys()
    return folder.planned(values)
