"""A search that asks what genotypes are worth, until its budget is spent.

One step is one evaluation: the strategy proposes, somebody says what the
proposal is worth, the strategy is told. run/loop/driver.py drives it like any
other loop. The state is the list of evaluations; it is told again to a fresh
strategy on restart (strategy/black_box/strategies.py says why that is exact).
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

ENDLESS = 2**62
"""Steps of a loop that only its time ends; run/loop/protocols.py says the same."""

NOT_TAKEN = -1


class Estimated(Protocol):
    """What an estimator says of a genotype, as far as a search is told."""

    worth: float  # finite; higher is better
    seconds: float  # that it took to find out, over all starts of the run


@dataclasses.dataclass(frozen=True)
class Budget:
    """What ends a search: whichever is spent first.

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
        given = self.evaluations, self.seconds
        if min(given) < 0 or not any(given):
            raise InputError(
                f"a search needs a budget above 0, of evaluations or of "
                f"seconds; received {given[0]} and {given[1]}"
            )


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A genotype, what it is worth, and the seconds that this took.

    Those since the evaluation before are among them.
    """

    genotype: Genotype
    worth: float
    seconds: float


class EvaluationLoop:
    """A budgeted search as a loop that can stop anywhere and go on there.

    Args:
      space: what is looked through.
      strategy: one that was told nothing yet.
      estimate: given a genotype and the evaluation's number from 1 on, says
        what it is worth. Stopped in the middle, it is asked the same again.
      budget: what ends the search.
      steps_per_epoch: evaluations between two checkpoints.

    Attributes:
      evaluations: all of them, in their order.
      seconds: spent by them.
      best: the index of the best one; of equals the earliest.
    """

    units, units_per_step = "evaluations", 1

    def __init__(
        self,
        space: SearchSpace,
        strategy: Strategy,
        estimate: Callable[[Genotype, int], Estimated],
        budget: Budget,
        steps_per_epoch: int = 1,
    ):
        self.space, self.steps_per_epoch = space, steps_per_epoch
        self.evaluations: list[Evaluation] = []
        self.seconds, self.best = 0.0, 0
        self._every = decisions(space.name)
        self._rows: list[list[int]] = []  # choices, as `state` has them
        self._distinct: set[Genotype] = set()
        self._strategy, self._estimate = strategy, estimate
        self._budget = budget
        self._mark: float | None = None  # the end of the last evaluation

    @property
    def step(self) -> int:
        """Finished evaluations."""
        return len(self.evaluations)

    @property
    def total_steps(self) -> int:
        """Evaluations in all: those done, once the time is over."""
        if 0 < self._budget.seconds <= self.seconds:
            return self.step
        return self._budget.evaluations or ENDLESS

    def found(self) -> Genotype:
        """The incumbent: the best genotype so far."""
        return self.evaluations[self.best].genotype

    def advance(self) -> dict[str, float]:
        """One evaluation; scalars by name."""
        before = self._mark or time.monotonic()
        genotype = self._strategy.propose()
        estimate = self._estimate(genotype, self.step + 1)
        self._mark = time.monotonic()
        # An estimate that a kill cut in two took longer than this start's.
        seconds = max(self._mark - before, estimate.seconds)
        self._take(Evaluation(genotype, estimate.worth, seconds))
        return {"worth": estimate.worth} | self.end_epoch()

    def end_epoch(self) -> dict[str, float]:
        """The worth of the incumbent, and how many genotypes were seen."""
        return {
            "incumbent": self.evaluations[self.best].worth,
            "distinct": len(self._distinct),
        }

    def _take(self, found: Evaluation) -> None:
        taken = decided(found.genotype)
        self._rows.append([taken.get(d.name, NOT_TAKEN) for d in self._every])
        self._distinct.add(found.genotype)
        self.seconds += found.seconds
        self.evaluations.append(found)
        if found.worth > self.evaluations[self.best].worth:
            self.best = self.step - 1
        self._strategy.tell(found.genotype, found.worth)

    def state(self) -> dict[str, np.ndarray]:
        """The choices [N, decisions], worths [N] and seconds [N]."""
        choices = np.array(self._rows, np.int16)
        return {
            "choices": choices.reshape(-1, len(self._every)),
            "worth": np.array([e.worth for e in self.evaluations]),
            "seconds": np.array([e.seconds for e in self.evaluations]),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes up a state; InputError where it does not fit."""
        choices = arrays.get("choices")
        if choices is None or choices.shape[1:] != (len(self._every),):
            raise InputError(
                f"the checkpoint is of no search in space "
                f"'{self.space.name}' that asks for worths; give another "
                f"--workdir"
            )
        rows = zip(choices, arrays["worth"], arrays["seconds"], strict=True)
        for row, worth, seconds in rows:
            chosen = {d.name: c for d, c in zip(self._every, row)}
            genotype = decide(self.space, lambda d, c=chosen: c[d.name])
            self._take(Evaluation(genotype, float(worth), float(seconds)))
