"""A substitute for Python in tests of experiments, and the files it leaves."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import sys

from darts_tf.space.conv import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype

# What stands for Python: it notes how it was called, then does what the
# first rule says whose words are all among its arguments. A rule: words,
# exit code, files of the work folder by name, what it prints.
STUB = """#!{python} -IS
import json, os, pathlib, sys, time
here = pathlib.Path({folder!r})
words = sys.argv[1:]
if words[:2] == ["-m", "darts_tf.cli"]:
    words[1:3] = ["train." + words[2]]
if "--only_check_args" in words:
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

# A program with another Python for its children.
FAKED = """
import runpy, sys
sys.executable, *sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclasses.dataclass
class Stub:
    """The rules of the substitute, and the record of its calls."""

    path: pathlib.Path
    rules: list[dict] = dataclasses.field(default_factory=list)

    @property
    def program(self) -> str:
        """The program started in place of Python."""
        return str(self.path / "python")

    def rule(self, *words, **what) -> None:
        """Adds a rule; of the rules that fit, the newest counts."""
        self.rules.insert(0, {"words": words, **what})
        (self.path / "rules").write_text(json.dumps(self.rules))

    def calls(self, word: str = "train.") -> list[list[str]]:
        """Returns the arguments of those calls that contain a word."""
        return [words for words, _ in self._all() if any(word in w for w in words)]

    def gpus(self) -> list[str | None]:
        """Returns CUDA_VISIBLE_DEVICES of each call."""
        return [gpus for _, gpus in self._all()]

    def forget(self) -> None:
        """Forgets all calls so far."""
        (self.path / "calls").unlink(missing_ok=True)

    def _all(self) -> list:
        path = self.path / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


def make(tmp_path: pathlib.Path) -> Stub:
    """Returns a stub without rules."""
    stub = Stub(tmp_path / "stub")
    stub.path.mkdir()
    python = os.path.realpath(sys.executable)
    text = STUB.format(python=python, folder=str(stub.path))
    pathlib.Path(stub.program).write_text(text)
    pathlib.Path(stub.program).chmod(0o755)
    return stub


def cell(seed: int) -> str:
    """Returns a random cell's JSON."""
    return random_genotype(SPACE, seed).to_json()


def searched(seed: int, **more) -> dict[str, str]:
    """Returns the files of a finished search that returned `cell(seed)`."""
    result = {"seconds": 100.0, "devices": 2, **more}
    return {"genotype.json": cell(seed), "result.json": json.dumps(result)}


def trained(valid=None, test=None, seconds=10.0, **more) -> dict[str, str]:
    """Returns the files of a finished training, errors as shares.

    `more` is of its test part.
    """
    result = {
        "valid": {} if valid is None else {"error": valid},
        "test": {"error": 1.0 if test is None else test, **more},
        "parameters": 3_300_000,
        "multiply_adds": 27_204_096,
        "seconds": seconds,
        "devices": 1,
    }
    return {"result.json": json.dumps(result)}
