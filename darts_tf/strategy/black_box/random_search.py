"""Random search: draws every proposal anew, whatever the worths were."""

from __future__ import annotations

from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.random_choice import random_genotype


class RandomSearch:
    """Draws uniformly and with replacement, as `random_choice` does.

    Args:
      space: the space to search.
      seed: of the draws.
    """

    rung = 0  # all are trained alike

    def __init__(self, space: SearchSpace, seed: int):
        self._space, self._seed, self._evaluated = space, seed, 0

    def propose(self, attempt: int = 0) -> Genotype:
        """Returns the next genotype to evaluate; another one for each attempt."""
        return random_genotype(self._space, (self._seed, self._evaluated, attempt))

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Counts the evaluation."""
        del genotype, worth
        self._evaluated += 1
