"""What stands for Python in tests of experiments, and the files it leaves."""

from __future__ import annotations

import dataclasses
import json
import pathlib

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
