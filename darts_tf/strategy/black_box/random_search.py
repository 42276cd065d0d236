"""Random search: every proposal is drawn anew, whatever was told."""

from __future__ import annotations

from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.random_choice import random_genotype


class RandomSearch:
    """Uniform and with replacement, as strategy/black_box/random_choice.py draws.

    Args:
      space: what is looked through.
      seed: of the draws.
    """

    def __init__(self, space: SearchSpace, seed: int):
        self._space, self._seed, self._told = space, seed, 0

    def propose(self) -> Genotype:
        """What is to be evaluated next."""
        return random_genotype(self._space, (self._seed, self._told))

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Counts it."""
        del genotype, worth
        self._told += 1
