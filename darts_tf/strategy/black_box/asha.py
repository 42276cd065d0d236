"""Successive halving that never waits: ASHA (Li et al. 2020, algorithm 2).

Random genotypes are trained for few epochs, the lowest rung. Whenever one of the best
1/eta of a rung has not been trained on the next one, for eta times as many epochs, it
is promoted; otherwise another random genotype begins. A promoted training goes on from
where it was (programs/estimators.py).

Own code, and not Optuna's SuccessiveHalvingPruner: that one decides inside of a
training whether it goes on and never takes up one that it has stopped, and its memory
is a storage of its own. Here a proposal is a function of the seed and the worths so
far, as of all strategies, so that replaying them restores a search exactly.

Departure: with one process at a time "asynchronous" means the order of promotions
only. A genotype that was drawn before is drawn anew.
"""

from __future__ import annotations

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.random_choice import random_genotype

REDUCTION = 4
"""eta of the paper's experiments."""

RUNGS = 3
TRIES = 100
"""Draws of a genotype that is to be new, before one is taken that is not."""


class Asha:
    """Promotes the best of each rung to the next.

    Args:
      space: the space to search.
      seed: of the draws.
      reduction: eta: one of so many of a rung is promoted, and trained so many times
        as long.
      rungs: how many, counting the lowest and that of full trainings.

    Attributes:
      rung: of the genotype that is proposed next, counted from 0.

    Raises:
      InputError: fewer than two rungs, or a reduction below 2.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        reduction: int = REDUCTION,
        rungs: int = RUNGS,
    ):
        if reduction < 2 or rungs < 2:
            raise InputError(
                f"`asha_reduction` and `asha_rungs` must be at least 2 (with one rung "
                f"it is `strategy=random`); received {reduction} and {rungs}"
            )
        self._space, self._seed, self._reduction = space, seed, reduction
        self._worths: list[dict[Genotype, float]] = [{} for _ in range(rungs)]

    @property
    def rung(self) -> int:
        """Returns the rung of the next proposal."""
        return self._next()[1]

    def propose(self, attempt: int = 0) -> Genotype:
        """Returns the next genotype to train, on `rung`; attempts draw others."""
        return self._next(attempt)[0]

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Takes in the worth of the genotype that was proposed, on its rung."""
        self._worths[self.rung][genotype] = worth

    def _next(self, attempt: int = 0) -> tuple[Genotype, int]:
        above = list(zip(self._worths, self._worths[1:]))
        for rung in reversed(range(len(above))):
            worths, promoted = above[rung]
            best = sorted(worths, key=lambda g, w=worths: -w[g])
            for genotype in best[: len(worths) // self._reduction]:
                if genotype not in promoted:
                    return genotype, rung + 1
        return self._drawn(attempt), 0

    def _drawn(self, attempt: int) -> Genotype:
        drawn = self._worths[0]
        for number in range(attempt * TRIES, (attempt + 1) * TRIES):
            seed = self._seed, len(drawn), number
            genotype = random_genotype(self._space, seed)
            if genotype not in drawn:
                break
        return genotype
