"""Regularised evolution (Real et al. 2019, algorithm 1).

A population of the newest genotypes, at first random ones. Each proposal is
a mutated copy (strategy/black_box/mutation.py) of the best of a random sample of it;
when it is told what that one is worth, the oldest one dies, however good.
"""

from __future__ import annotations

import collections

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.mutation import mutated
from darts_tf.strategy.black_box.random_choice import random_genotype

POPULATION, SAMPLE = 10, 3
"""Of the benchmark's authors' scripts (Dong et al. 2021, NATS-Bench), for
some hundred evaluations. Real et al. have 100 and 25 for 20,000."""


class RegularisedEvolution:
    """Evolution in which the oldest genotype dies, whatever its worth.

    Args:
      space: the space to search.
      seed: of the first ones, the samples and the mutations.
      population: how many live; so many random ones come first.
      sample: how many are drawn, with replacement, for the best of them to
        be the parent; 1 is a random walk.

    Raises:
      InputError: a number below 1.
    """

    rung = 0  # all are trained alike

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        population: int = POPULATION,
        sample: int = SAMPLE,
    ):
        if min(population, sample) < 1:
            raise InputError(
                f"`evolution_population` and `evolution_sample` must be at "
                f"least 1; received {population} and {sample}"
            )
        self._space, self._seed, self._evaluated = space, seed, 0
        self._size, self._sample = population, sample
        self._population = collections.deque(maxlen=population)

    def propose(self, attempt: int = 0) -> Genotype:
        """Returns a random genotype, or a child once the population is complete."""
        seed = (self._seed, self._evaluated, attempt)
        if self._evaluated < self._size:
            return random_genotype(self._space, seed)
        generator = np.random.default_rng(seed)
        places = generator.integers(self._size, size=self._sample)
        sample = [self._population[place] for place in places]
        parent, _ = max(sample, key=lambda member: member[1])
        return mutated(parent, generator)

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Adds a genotype to the population and removes the oldest one."""
        self._population.append((genotype, worth))
        self._evaluated += 1
