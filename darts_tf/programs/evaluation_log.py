"""Log of all estimated genotypes of a search (evaluations.jsonl).

A line is on the disk before the search goes on, so that no estimate is lost
to a kill, whenever the last checkpoint was: an estimate that is asked for
again is read from the file. A last line that was only half written is
dropped and estimated again.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping, Sequence

from darts_tf.errors import InputError
from darts_tf.estimation.estimates import Estimate
from darts_tf.run.loop.metrics import MetricsLog, read_metrics
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype

FOLDER = "evaluations"


class EvaluationLog:
    """Asks an estimator, and for no genotype twice.

    Estimates depend on the genotype and the run's settings alone. So a genotype
    that is proposed again later in a search gets the worth that it had, at
    no cost, and counts as one more evaluation.

    Where a search has rungs (strategy/black_box/asha.py), a genotype is estimated on
    each of them, in one folder, so that its training goes on. What it weighs stays
    there until it has been on the last rung.

    Args:
      workdir: of the search, held by this process.
      estimator: gives the estimates, an estimation.estimates.Estimator; with rungs
        one that takes the epochs as its third argument (programs/trainings.py).
      epochs: of a training on each rung; empty where there are no rungs.
      costs: counts a genotype's costs, by name, for its line; empty for none.

    Raises:
      InputError: a line before the last one is no evaluation.
    """

    def __init__(
        self,
        workdir: Workdir,
        estimator: Callable[..., Estimate],
        epochs: Sequence[int] = (),
        costs: Callable[[Genotype], Mapping[str, float]] = lambda genotype: {},
    ):
        self._estimator, self._epochs = estimator, tuple(epochs)
        self._costs = costs
        self._folder = workdir.path / FOLDER
        self._path = workdir.evaluations
        records = read_metrics(self._path)
        self._log = MetricsLog(self._path)
        self._log.truncate_after(len(records))  # a last line, cut in two
        self._records = {r["step"]: r for r in records}
        self._known: dict[tuple[str, int], dict] = {}
        for number, record in self._records.items():
            if not isinstance(record.get("genotype"), dict) or not _is_estimate(record):
                raise InputError(
                    f"{self._path}, line {number} is no evaluation; bring the file "
                    "back from a copy, or start anew in another `workdir`"
                )
            self._remember(record)

    @property
    def diverged(self) -> int:
        """The number of evaluations whose training diverged."""
        return sum("diverged" in record["valid"] for record in self._records.values())

    def _remember(self, record: dict) -> None:
        key = _key(record["genotype"]), record.get("rung", 0)
        self._known.setdefault(key, record)

    def estimate(self, genotype: Genotype, number: int, rung: int = 0) -> Estimate:
        """Returns the estimate of evaluation `number`, counted from 1, in turn.

        Args:
          genotype: that is estimated.
          number: of the evaluation.
          rung: of its training.

        Raises:
          InputError: the file has another genotype there.
        """
        value = json.loads(genotype.to_json())
        record = self._records.get(number)
        if record is None:
            record = self._made(genotype, value, number, rung)
        elif record["genotype"] != value or record.get("rung", 0) != rung:
            raise InputError(
                f"{self._path}, line {number} has another genotype than "
                f"this search proposes; start anew in another `workdir`"
            )
        if rung + 1 >= len(self._epochs):
            # The weights are needed no more; a kill may have left them.
            place = self._place(self._first(value, number))
            shutil.rmtree(place / "checkpoints", ignore_errors=True)
        return _estimate(record)

    def _made(self, genotype, value, number: int, rung: int) -> dict:
        known = self._known.get((_key(value), rung))
        if known:
            estimate = dataclasses.replace(_estimate(known), seconds=0.0)
        else:
            estimate = self._estimated(genotype, value, number, rung)
        record = {
            "step": number,
            **dataclasses.asdict(estimate),
            "incumbent": self._incumbent(number, (rung, estimate.worth)),
            "known": bool(known),
            "genotype": value,
        }
        if self._epochs:
            record |= {"rung": rung, "epochs": self._epochs[rung]}
        if costs := self._costs(genotype):
            record["costs"] = dict(costs)
        self._log.append(record)
        self._log.sync()
        self._records[number] = record
        self._remember(record)
        return record

    def _estimated(self, genotype, value, number: int, rung: int) -> Estimate:
        """Asks the estimator; of a training that goes on, the seconds are its own."""
        place = self._place(self._first(value, number))
        if not self._epochs:
            return self._estimator(genotype, place)
        estimate = self._estimator(genotype, place, self._epochs[rung])
        lower = [self._known.get((_key(value), below)) for below in range(rung)]
        before = sum(record["seconds"] for record in lower if record)
        return dataclasses.replace(estimate, seconds=max(estimate.seconds - before, 0))

    def _first(self, value, number: int) -> int:
        """Returns the number of a genotype's evaluation on the lowest rung."""
        first = self._known.get((_key(value), 0))
        return first["step"] if first and self._epochs else number

    def _incumbent(self, number: int, own: tuple[int, float]) -> float:
        """Returns the best worth so far, on the highest rung so far."""
        if not self._epochs:
            before = self._records.get(number - 1)
            return max(own[1], before["incumbent"]) if before else own[1]
        every = [self._records[n] for n in range(1, number) if n in self._records]
        return max([own, *((r["rung"], r["worth"]) for r in every)])[1]

    def _place(self, number: int):
        return self._folder / f"{number:04d}"


def _key(value: dict) -> str:
    return json.dumps(value, sort_keys=True)


def _is_estimate(record: dict) -> bool:
    numbers = ("worth", "seconds", "incumbent")
    present = set(Estimate.__dataclass_fields__) <= set(record)
    present = present and isinstance(record["valid"], dict)
    return present and all(isinstance(record.get(n), int | float) for n in numbers)


def _estimate(record: dict) -> Estimate:
    names = Estimate.__dataclass_fields__
    return Estimate(**{name: record[name] for name in names})
