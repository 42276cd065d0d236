"""The parts of an experiment and the layout of its folder.

DARTS sect. 3.1 and 3.2: several searches from different seeds; a short
training of each derived cell; the best by validation; several full trainings
of that one. Only the files of finished runs decide what remains to do, so that
any number of machines with a shared disk can work at it.

    ROOT/search/seed_0/      a search, or a random genotype
    ROOT/search/40M/seed_0/  a search with this one of several cost targets
    ROOT/cells/KEY.json      a genotype; KEY stands for it everywhere
    ROOT/short/KEY/          its short training
    ROOT/full/KEY/seed_0/    a full training of the selected one
    ROOT/logs/               the output of each task
    ROOT/tasks/              the last outcome of each task
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darts_tf.config import TrainingConfig
from darts_tf.errors import InputError
from darts_tf.protocol import flagfiles
from darts_tf.protocol.command_line import BILEVEL, COST_TITLES, FLAGFILES, RELAXED
from darts_tf.reading import read_json, reason_of
from darts_tf.run.files import write_atomic
from darts_tf.run.workdir import LIKELY_WITHIN, Workdir
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
    "nsga2": "evolution",
}
"""Search methods of the strategies, in the words of the paper's tables."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """The parts of an experiment and their paths.

    Attributes:
      root: its folder.
      values: its arguments, by name.
      contents: the flags in each flagfile, by the name of its argument.
      target: the cost target of this part; None for a whole experiment.
    """

    root: Path
    values: Mapping[str, Any]
    contents: Mapping[str, Mapping[str, str]]
    target: str | None = None

    @property
    def parts(self) -> list[Plan]:
        """The plan of each cost target; this plan alone without targets."""
        targets = self.values.get("cost_targets")
        if self.target is not None or not targets:
            return [self]
        return [dataclasses.replace(self, target=target) for target in targets]

    @property
    def cost(self) -> str | None:
        """The cost of which the target is; None without one."""
        return self.contents["search_flags"]["cost"] if self.target else None

    @property
    def whole(self) -> Plan:
        """The plan of the experiment of which this may be a part."""
        return dataclasses.replace(self, target=None)

    def numbered(self, seeds: range) -> list[tuple[int, Plan, int]]:
        """Returns (number, part, seed) of each task; more seeds only append some."""
        return [
            (seed * len(self.parts) + place, part, seed)
            for seed in seeds
            for place, part in enumerate(self.parts)
        ]

    @property
    def seeds(self) -> range:
        """The seeds of the searches."""
        return range(self.values["search_seeds"])

    @functools.cached_property
    def space(self) -> str:
        """The name of the space that is searched."""
        space = self.contents.get("search_flags", {}).get("space")
        return self.values["random_genotypes"] or space or flagfiles.SPACE

    @property
    def strategy(self) -> str:
        """The strategy of the searches; RANDOM if there are none."""
        if self.values["random_genotypes"]:
            return RANDOM
        return self.contents["search_flags"].get("strategy", RELAXED[0])

    @property
    def relaxed(self) -> bool:
        """True if the searches have epochs, with a cell each."""
        return self.strategy in RELAXED

    @property
    def name(self) -> str:
        """The architecture's name in tables."""
        if self.target is not None:
            return f"{self.whole.name}, {self.target} {COST_TITLES[self.cost or '']}"
        if self.values["name"]:
            return self.values["name"]
        if not self.relaxed:
            return self.strategy
        flags = self.contents["search_flags"]
        method = flags.get("optimization", BILEVEL)
        if method == BILEVEL:
            method = flags.get("method") or "finite_difference"
        return f"{self.strategy} ({method})"

    @property
    def measure(self) -> str:
        """The measure of the networks, "perplexity" or "error"; lower is better."""
        text = self.space == recurrent.SPACE.name
        return "perplexity" if text else "error"

    def search(self, seed: int) -> Workdir:
        """Returns the folder of a search or of a random genotype."""
        return Workdir(self.root / "search" / (self.target or "") / f"seed_{seed}")

    def search_marker(self, seed: int) -> Path:
        """Returns the file that exists once the search of a seed has its cell."""
        folder = self.search(seed)
        return folder.genotype if self.strategy == RANDOM else folder.result

    def cell_key(self, seed: int) -> str | None:
        """Returns the key of the cell of a seed; None before it exists."""
        if not self.search_marker(seed).exists():
            return None
        return self.add_cell(self.search(seed).genotype)

    @property
    def cells_per_search(self) -> int:
        """Number of cells of each search that get a short training."""
        return self.values.get("cells_per_search", 1)

    def cell_keys(self, seed: int) -> list[str]:
        """Returns the keys of the cells of a seed, `cells_per_search` or fewer.

        The most likely first; [] before the search has ended.
        """
        derived = self.cell_key(seed)
        if derived is None:
            return []
        if self.cells_per_search == 1:
            return [derived]
        likely = _read_likely(self.search(seed))[: self.cells_per_search]
        return [self._add(genotype) for genotype in likely]

    def cell_places(self, seed: int) -> list[str | None]:
        """Returns a key for each of the `cells_per_search` places of a seed.

        A search with fewer cells repeats its first one; None before it has ended.
        """
        keys = self.cell_keys(seed)
        first = keys[0] if keys else None
        return [*keys, *[first] * (self.cells_per_search - len(keys))]

    def add_cell(self, path: Path) -> str:
        """Copies a genotype's file into the experiment's cells.

        Returns:
          Its key, the same for the same architecture.
        """
        return self._add(Genotype.from_file(path))

    def _add(self, genotype: Genotype) -> str:
        genotype = canonical(genotype)
        text = genotype.to_json()
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        if not self.cell(key).exists():
            self.cell(key).parent.mkdir(exist_ok=True)
            write_atomic(self.cell(key), text)
        return key

    def cell(self, key: str) -> Path:
        """Returns the file of a genotype."""
        return self.root / "cells" / f"{key}.json"

    def short(self, key: str) -> Workdir:
        """Returns the folder of a cell's short training."""
        return Workdir(self.root / "short" / key)

    @functools.cached_property
    def rungs(self) -> tuple[int, ...]:
        """Epochs of a short training on each rung of the selection, the last all.

        Each rung below has 1/eta of them, rounded down.
        """
        count, eta = self.values.get("selection_rungs", 1), self.reduction
        usual = TrainingConfig.__dataclass_fields__["epochs"].default
        epochs = int(self.contents.get("short_flags", {}).get("epochs", usual))
        return tuple(epochs // eta**n for n in reversed(range(count)))

    @property
    def reduction(self) -> int:
        """Returns eta: one of so many cells of a rung is trained on."""
        return self.values.get("selection_reduction", 4)

    def outcome_on(self, key: str, rung: int) -> Path:
        """Returns the file that a cell's short training leaves on a rung."""
        if rung == len(self.rungs) - 1:
            return self.short(key).result
        return self.short(key).after_epochs(self.rungs[rung])

    def full(self, key: str, seed: int) -> Workdir:
        """Returns the folder of a full training."""
        return Workdir(self.root / "full" / key / f"seed_{seed}")

    def outcome(self, task: str) -> Path:
        """Returns the JSON file with a task's last outcome; see `protocol.stages`."""
        return self.root / "tasks" / f"{task}.json"

    def log(self, task: str) -> Path:
        """Returns the file with a task's output."""
        return self.root / "logs" / f"{task}.log"

    def epochs(self, seed: int) -> list[Path]:
        """Returns the genotype files of the epochs to train, evenly spread.

        The last one is among them. Fewer where the search has fewer.
        """
        folder = self.search(seed).genotypes
        paths = sorted(folder.glob("epoch_*.json"))
        count = min(self.values["snapshots"], len(paths))
        return [
            paths[round(len(paths) * (place + 1) / count) - 1] for place in range(count)
        ]


def _read_likely(search: Workdir) -> list[Genotype]:
    """Returns the most likely genotypes that a search has written."""
    try:
        likely = read_json(search.likely)
        if not isinstance(likely, list) or not likely:
            raise ValueError("no list of genotypes")
        return [Genotype.from_json(json.dumps(genotype)) for genotype in likely]
    except (OSError, ValueError, InputError) as error:
        raise InputError(
            f"{search.likely} cannot be read ({reason_of(error)}); write it again by "
            f"`python -m train.derive --workdir={search.path}`"
        ) from error


def result_of(workdir: Workdir) -> dict | None:
    """Returns the result of a finished run; None for any other."""
    if not workdir.result.exists():
        return None
    return workdir.read_result()


def on_rungs(plan: Plan) -> list[list[str]]:
    """Returns the keys of the cells on each rung of the selection, as far as known.

    The lowest rung has all cells, by seed; each other one the best 1/eta of the rung
    below, at least one, the best first: successive halving (Jamieson and Talwalkar
    2016; ASHA, Li et al. 2020, does not wait for the whole rung, and so depends on
    which training ends first). A rung is known once each search, and each training of
    the rung below, has ended. Those that failed are not promoted.
    """
    cells = [key for seed in plan.seeds for key in plan.cell_places(seed)]
    rungs = [[key for key in dict.fromkeys(cells) if key]]
    firsts = zip(plan.seeds, cells[:: plan.cells_per_search], strict=True)
    if any(not key and not plan.outcome(f"search_{n}").exists() for n, key in firsts):
        return rungs
    for rung in range(len(plan.rungs) - 1):
        keys, worths = rungs[-1], {}
        for key in keys:
            place = keys.index(key) if rung else cells.index(key)
            worth = _worth(plan, key, rung, f"short_{rung * len(cells) + place}")
            if worth is None:
                return rungs
            worths[key] = worth
        best = sorted(keys, key=lambda key, of=worths: of[key])
        best = [key for key in best if worths[key] < math.inf]
        rungs.append(best[: max(len(keys) // plan.reduction, 1)])
    return rungs


def _worth(plan: Plan, key: str, rung: int, task: str) -> float | None:
    """Returns a cell's validation on a rung; infinity: it failed, None: not ended."""
    path = plan.outcome_on(key, rung)
    if path.exists():
        return float(read_json(path)["valid"][plan.measure])
    return math.inf if plan.outcome(task).exists() else None


def selected(plan: Plan) -> str | None:
    """Returns the key of the best cell by validation after the short trainings.

    With a cost target it is the best within it, or of all where none is. Among equals
    the one of the lowest seed. None where none is finished.
    """
    worths: dict[str, float] = {}
    within: dict[str, float] = {}
    for seed in plan.seeds:
        for key in plan.cell_keys(seed):
            result = result_of(plan.short(key))
            if not result:
                continue
            worth = float(result["valid"][plan.measure])
            worths.setdefault(key, worth)
            if _is_within(plan, seed):
                within.setdefault(key, worth)
    candidates = within or worths
    return min(candidates, key=lambda key: candidates[key]) if candidates else None


def _is_within(plan: Plan, seed: int) -> bool:
    """Returns False for a search whose cells cost more than the target."""
    result = (result_of(plan.search(seed)) if plan.target else None) or {}
    if plan.cells_per_search > 1 and LIKELY_WITHIN in result:
        return result[LIKELY_WITHIN]
    cost = result.get("cost", {}).get(plan.cost)
    return cost is None or cost["derived"] <= cost["target"]


def flat(contents: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Returns the flagfiles' contents as values for a run's flags.json."""
    return {
        f"{name} --{flag}": value
        for name, flags in contents.items()
        for flag, value in flags.items()
    }


def plan_of(root: Path, stored: Mapping[str, Any]) -> Plan:
    """Returns the plan of an experiment's folder, from its flags.json."""
    contents = {
        name: {
            flag.removeprefix(f"{name} --"): value
            for flag, value in stored.items()
            if flag.startswith(f"{name} --")
        }
        for name in FLAGFILES
    }
    return Plan(root, stored, contents)
