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

from darts_tf.errors import InputError
from darts_tf.estimation.estimates import Estimate, Estimator
from darts_tf.run.loop.metrics import MetricsLog, read_metrics
from darts_tf.run.workdir import Workdir
from darts_tf.space.genotype import Genotype

FOLDER = "evaluations"


class EvaluationLog:
    """Asks an estimator, and for no genotype twice.

    Estimates depend on the genotype and the run's settings alone. So a genotype
    that is proposed again later in a search gets the worth that it had, at
    no cost, and counts as one more evaluation.

    Args:
      workdir: of the search, held by this process.
      estimator: gives the estimates.

    Raises:
      InputError: a line before the last one is no evaluation.
    """

    def __init__(self, workdir: Workdir, estimator: Estimator):
        self._estimator = estimator
        self._folder = workdir.path / FOLDER
        self._path = workdir.evaluations
        records = read_metrics(self._path)
        self._log = MetricsLog(self._path)
        self._log.truncate_after(len(records))  # a last line, cut in two
        self._records = {r["step"]: r for r in records}
        self._known: dict[str, dict] = {}
        for number, record in self._records.items():
            if not isinstance(record.get("genotype"), dict) or not _is_estimate(record):
                raise InputError(
                    f"{self._path}, line {number} is no evaluation; bring the file "
                    "back from a copy, or start anew in another `workdir`"
                )
            self._known.setdefault(_key(record["genotype"]), record)

    def estimate(self, genotype: Genotype, number: int) -> Estimate:
        """Returns the estimate of evaluation `number`, counted from 1, in turn.

        Raises:
          InputError: the file has another genotype there.
        """
        value = json.loads(genotype.to_json())
        record, known = self._records.get(number), self._known.get(_key(value))
        if record is None:
            record = self._made(genotype, value, number, known)
        elif record["genotype"] != value:
            raise InputError(
                f"{self._path}, line {number} has another genotype than "
                f"this search proposes; start anew in another `workdir`"
            )
        # The weights are needed no more; a kill may have left them.
        shutil.rmtree(self._place(number) / "checkpoints", ignore_errors=True)
        return _estimate(record)

    def _made(self, genotype, value, number: int, known) -> dict:
        if known:
            estimate = dataclasses.replace(_estimate(known), seconds=0.0)
        else:
            estimate = self._estimator(genotype, self._place(number))
        before = self._records.get(number - 1, {"incumbent": estimate.worth})
        record = {
            "step": number,
            **dataclasses.asdict(estimate),
            "incumbent": max(estimate.worth, before["incumbent"]),
            "known": bool(known),
            "genotype": value,
        }
        self._log.append(record)
        self._log.sync()
        self._records[number] = record
        self._known.setdefault(_key(value), record)
        return record

    def _place(self, number: int):
        return self._folder / f"{number:04d}"


def _key(value: dict) -> str:
    return json.dumps(value, sort_keys=True)


def _is_estimate(record: dict) -> bool:
    numbers = ("worth", "seconds", "incumbent")
    present = set(Estimate.__dataclass_fields__) <= set(record)
    return present and all(isinstance(record.get(n), int | float) for n in numbers)


def _estimate(record: dict) -> Estimate:
    names = Estimate.__dataclass_fields__
    return Estimate(**{name: record[name] for name in names})
