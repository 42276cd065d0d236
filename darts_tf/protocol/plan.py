"""An experiment: what it consists of, and where the parts lie.

DARTS sect. 3.1 and 3.2: several searches from different seeds; a short
training of each derived cell; the best by validation; several full trainings
of that one. Only the finished runs' own files tell what is done, so that
any number of machines with a shared disk can work at it.

    ROOT/search/seed_0/      a search, or a random genotype
    ROOT/cells/KEY.json      a genotype; KEY stands for it everywhere
    ROOT/short/KEY/          its short training
    ROOT/full/KEY/seed_0/    a full training of the selected one
    ROOT/logs/               what all of them printed
    ROOT/tasks/              how each task ended last
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from darts_tf.config_rules import BILEVEL, RELAXED
from darts_tf.protocol import flagfiles
from darts_tf.protocol.flagfiles import FLAGFILES
from darts_tf.run.files import write_atomic
from darts_tf.run.workdir import Workdir
from darts_tf.space import recurrent
from darts_tf.space.decisions import canonical
from darts_tf.space.genotype import Genotype

RANDOM = "random genotypes"
METHODS = {
    RANDOM: "random",
    "random": "random",
    "darts": "gradient-based",
    "lambda_darts": "gradient-based",
    "evolution": "evolution",
    "reinforce": "RL",
    "bayesian": "SMBO",
}
"""By strategy, in the words of the paper's tables; others as they are."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an experiment consists of.

    Attributes:
      root: its folder.
      values: its flags, by name.
      contents: by the name of a flagfile's flag, what that flagfile says.
    """

    root: Path
    values: Mapping[str, object]
    contents: Mapping[str, Mapping[str, str]]

    @property
    def seeds(self) -> range:
        """Of the searches."""
        return range(self.values["search_seeds"])

    @functools.cached_property
    def space(self) -> str:
        """The name of the space that is searched."""
        given = self.contents.get("search_flags", {}).get("space")
        return self.values["random_genotypes"] or given or flagfiles.SPACE

    @property
    def strategy(self) -> str:
        """Of the searches; RANDOM where there are none."""
        if self.values["random_genotypes"]:
            return RANDOM
        return self.contents["search_flags"].get("strategy", RELAXED[0])

    @property
    def relaxed(self) -> bool:
        """Whether the searches have epochs, with a cell each."""
        return self.strategy in RELAXED

    @property
    def name(self) -> str:
        """Of the architecture, for tables."""
        if self.values["name"]:
            return self.values["name"]
        if not self.relaxed:
            return self.strategy
        given = self.contents["search_flags"]
        how = given.get("optimization", BILEVEL)
        if how == BILEVEL:
            how = given.get("method") or "finite_difference"
        return f"{self.strategy} ({how})"

    @property
    def measure(self) -> str:
        """What networks are measured by; lower is better."""
        text = self.space == recurrent.SPACE.name
        return "perplexity" if text else "error"

    def search(self, seed: int) -> Workdir:
        """The folder of a search, or of a random genotype."""
        return Workdir(self.root / "search" / f"seed_{seed}")

    def searched(self, seed: int) -> Path:
        """The file that is there once the cell of a seed is found."""
        folder = self.search(seed)
        return folder.genotype if self.strategy == RANDOM else folder.result

    def found(self, seed: int) -> str | None:
        """The key of the cell of a seed; None: not found yet."""
        if not self.searched(seed).exists():
            return None
        return self.keep(self.search(seed).genotype)

    def keep(self, path: Path) -> str:
        """Gives a genotype that lies in a file its place among the cells.

        Returns:
          Its key, the same for the same architecture.
        """
        genotype = canonical(Genotype.from_json(path.read_text("utf-8")))
        text = genotype.to_json()
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        if not self.cell(key).exists():
            self.cell(key).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.cell(key), text)
        return key

    def cell(self, key: str) -> Path:
        """The file of a genotype."""
        return self.root / "cells" / f"{key}.json"

    def short(self, key: str) -> Workdir:
        """The folder of a cell's short training."""
        return Workdir(self.root / "short" / key)

    def full(self, key: str, seed: int) -> Workdir:
        """The folder of a full training."""
        return Workdir(self.root / "full" / key / f"seed_{seed}")

    def outcome(self, task: str) -> Path:
        """How a task ended last: JSON, see `darts_tf.protocol.stages`."""
        return self.root / "tasks" / f"{task}.json"

    def log(self, task: str) -> Path:
        """What a task printed."""
        return self.root / "logs" / f"{task}.log"

    def epochs(self, seed: int) -> list[Path]:
        """Of a search's epochs those whose cells are trained, evenly spread.

        The last one is among them. Fewer where the search has fewer.
        """
        folder = self.search(seed).genotypes
        paths = sorted(folder.glob("epoch_*.json"))
        count = min(self.values["snapshots"], len(paths))
        return [
            paths[round(len(paths) * (place + 1) / count) - 1] for place in range(count)
        ]


def result_of(workdir: Workdir) -> dict | None:
    """The result of a finished run, None of any other."""
    if not workdir.result.exists():
        return None
    return json.loads(workdir.result.read_text("utf-8"))


def selected(plan: Plan) -> str | None:
    """The key of the best cell by validation, after the short trainings.

    Among equals the one of the lowest seed. None where none is finished.
    """
    worths = {}
    for seed in plan.seeds:
        key = plan.found(seed)
        result = result_of(plan.short(key)) if key else None
        if result:
            worths.setdefault(key, float(result["valid"][plan.measure]))
    return min(worths, key=worths.get) if worths else None


def flat(contents: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Returns what flagfiles say, as values for an experiment's config.json."""
    return {
        f"{name} --{flag}": value
        for name, given in contents.items()
        for flag, value in given.items()
    }


def plan_of(root: Path, stored: Mapping[str, object]) -> Plan:
    """Returns the plan of an experiment's folder, from its stored values."""
    contents = {
        name: {
            flag.removeprefix(f"{name} --"): value
            for flag, value in stored.items()
            if flag.startswith(f"{name} --")
        }
        for name in FLAGFILES
    }
    return Plan(root, stored, contents)
