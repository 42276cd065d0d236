"""Searches by evaluating proposed genotypes until the budget is spent.

One step is one evaluation: the strategy proposes a genotype, the estimator
measures its worth, the strategy learns it. run/loop/driver.py drives this like
any other loop. The state is the list of evaluations; on restart it is replayed
to a new strategy, which is exact (strategy/black_box/strategies.py).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.decisions import decide, decided, decisions
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.strategies import Strategy

DRAWS = 1000
"""Proposals in a row beyond the limits of a search, before it gives up."""

ENDLESS = 2**62
"""Steps of a loop that only its time ends; run/loop/protocols.py says the same."""

NO_CHOICE = -1


class Estimated(Protocol):
    """An estimator's answer, as far as a search needs it."""

    @property
    def worth(self) -> float:
        """A finite number; higher is better."""
        ...

    @property
    def seconds(self) -> float:
        """The time of the estimate, over all starts of the run."""
        ...


@dataclasses.dataclass(frozen=True)
class Budget:
    """The limits of a search; the first one that is reached ends it.

    Attributes:
      evaluations: how many; 0: as many as the time allows.
      seconds: of evaluations and of all that lies between them, over all
        starts; 0: as many as they take. The evaluation that spends the last
        of them is finished.

    Raises:
      InputError: neither, or a negative one.
    """

    evaluations: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        limits = self.evaluations, self.seconds
        if min(limits) < 0 or not any(limits):
            raise InputError(
                f"`budget_evaluations` or `budget_seconds` must be above 0, neither "
                f"below; received {limits[0]} and {limits[1]}"
            )


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A genotype, its worth, and the seconds spent on it.

    Those since the evaluation before are among them. On a higher rung it was trained
    for longer. `refused` proposals beyond the limits came before it.
    """

    genotype: Genotype
    worth: float
    seconds: float
    rung: int = 0
    refused: int = 0

    @property
    def standing(self) -> tuple[int, float]:
        """Returns what makes an evaluation the best: its rung, then its worth."""
        return self.rung, self.worth


class EvaluationLoop:
    """A budgeted search as a loop that can stop and continue anywhere.

    Args:
      space: the space to search.
      strategy: a new strategy.
      estimate: measures a genotype; its second argument is the evaluation's
        number, from 1. If it is interrupted, it is called again alike.
      budget: the limits of the search.
      steps_per_epoch: evaluations between two checkpoints.
      allowed: says whether a genotype is within the limits of the search; one that is
        not is drawn again. None: all are.

    Attributes:
      evaluations: all of them, in their order.
      refused: how many proposals were beyond the limits.
      seconds: spent by them.
      best: the index of the best one on the highest rung; of equals the earliest.
    """

    units, units_per_step = "evaluations", 1

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        estimate: Callable[[Genotype, int], Estimated],
        budget: Budget,
        steps_per_epoch: int = 1,
        allowed: Callable[[Genotype], bool] | None = None,
    ):
        self.space, self.steps_per_epoch = space, steps_per_epoch
        self.evaluations: list[Evaluation] = []
        self.seconds, self.best, self.refused = 0.0, 0, 0
        self._every = decisions(space.name)
        self._rows: list[list[int]] = []  # choices, as `state` has them
        self._distinct: set[Genotype] = set()
        self._strategy, self._estimate = strategy, estimate
        self._budget, self._allowed = budget, allowed
        self._mark: float | None = None  # the end of the last evaluation

    @property
    def step(self) -> int:
        """The number of finished evaluations."""
        return len(self.evaluations)

    @property
    def total_steps(self) -> int:
        """The number of evaluations in all; those finished once the time is over."""
        if 0 < self._budget.seconds <= self.seconds:
            return self.step
        return self._budget.evaluations or ENDLESS

    def best_genotype(self) -> Genotype:
        """Returns the incumbent: the best genotype so far."""
        return self.evaluations[self.best].genotype

    def advance(self) -> dict[str, float]:
        """Does one evaluation and returns scalars by name.

        Raises:
          InputError: no proposal of many is within the limits.
        """
        before = self._mark or time.monotonic()
        genotype, refused = self._proposal()
        estimate = self._estimate(genotype, self.step + 1)
        self._mark = time.monotonic()
        # An estimate that a kill cut in two took longer than this start's.
        seconds = max(self._mark - before, estimate.seconds)
        self._add(genotype, estimate.worth, seconds, refused)
        return {"worth": estimate.worth} | self.end_epoch()

    def end_epoch(self) -> dict[str, float]:
        """Returns the incumbent's worth and the number of distinct genotypes.

        Where there are limits, the number of proposals beyond them, too.
        """
        scalars: dict[str, float] = {
            "incumbent": self.evaluations[self.best].worth,
            "distinct": len(self._distinct),
        }
        return scalars | ({"refused": self.refused} if self._allowed else {})

    def _proposal(self) -> tuple[Genotype, int]:
        """Returns a genotype within the limits, and how many were refused for it."""
        for attempt in range(DRAWS):
            genotype = self._strategy.propose(attempt)
            if self._allowed is None or self._allowed(genotype):
                return genotype, attempt
        raise InputError(
            f"{DRAWS:,} proposals in a row are beyond the limits of this search; start "
            "anew with larger ones in another `workdir`"
        )

    def _add(
        self, genotype: Genotype, worth: float, seconds: float, refused: int = 0
    ) -> None:
        rung = self._strategy.rung
        evaluation = Evaluation(genotype, worth, seconds, rung, refused)
        choices = decided(evaluation.genotype)
        self._rows.append([choices.get(d.name, NO_CHOICE) for d in self._every])
        self._distinct.add(evaluation.genotype)
        self.seconds += evaluation.seconds
        self.refused += refused
        self.evaluations.append(evaluation)
        if evaluation.standing > self.evaluations[self.best].standing:
            self.best = self.step - 1
        self._strategy.tell(evaluation.genotype, evaluation.worth)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the choices [N, decisions], worths, seconds and refused, each [N]."""
        choices = np.array(self._rows, np.int16)
        return {
            "choices": choices.reshape(-1, len(self._every)),
            "worth": np.array([e.worth for e in self.evaluations]),
            "seconds": np.array([e.seconds for e in self.evaluations]),
            "refused": np.array([e.refused for e in self.evaluations], np.int64),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores a state.

        Raises:
          InputError: it is of another search, or of one that has gone on after this
            budget was spent.
        """
        choices = arrays.get("choices")
        if choices is None or choices.shape[1:] != (len(self._every),):
            raise InputError(
                f"the checkpoint is of no search in space "
                f"'{self.space.name}' that asks for worths; give another "
                f"`workdir`"
            )
        worths, none = arrays["worth"], np.zeros(len(choices), np.int64)
        refused = arrays.get("refused", none)  # older checkpoints have no limits
        rows = zip(choices, worths, arrays["seconds"], refused, strict=True)
        for row, worth, seconds, count in rows:
            if self.step >= self.total_steps:
                raise self._spent(len(choices))
            chosen = {d.name: c for d, c in zip(self._every, row)}
            genotype = decide(self.space, lambda d, c=chosen: c[d.name])
            if count:  # it was that draw, which some strategies remember
                self._strategy.propose(int(count))
            self._add(genotype, float(worth), float(seconds), int(count))

    def _spent(self, evaluations: int) -> InputError:
        """Returns the refusal of a budget that is less than what was done."""
        given = dataclasses.asdict(self._budget).items()
        words = " and ".join(f"`budget_{n}={v:g}`" for n, v in given if v)
        return InputError(
            f"{words} would have ended this search after {self.step} of the "
            f"{evaluations} evaluations that it has made; give as much as before or "
            "more, or another `workdir`"
        )
