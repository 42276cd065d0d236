"""NSGA-II (Deb et al. 2002): a population on the front of accuracy and costs.

Of a generation and its parents the next parents are those that fewest others beat in
every objective, spread out over the front (sect. III of the paper); a child takes each
decision of the space (space/decisions.py) from one of two parents, or draws it anew.
The sampler is Optuna's NSGAIISampler, with its own constants but for the population.

A genotype's genes are all decisions of the space, also those on edges that it does not
keep: they say nothing until a child keeps that edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.decisions import decide, decided, decisions
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.bayesian import import_optuna

POPULATION = 20
"""For some hundred evaluations; Optuna's own number is 50, Deb et al. have 100."""


class NSGA2:
    """Optuna's NSGAIISampler over the decisions of a space.

    Args:
      space: the space to search.
      seed: of all draws.
      costs: of a genotype, one function for each objective beside the worth; lower is
        better.
      population: genotypes of a generation.

    Raises:
      InputError: Optuna is not installed, there are no costs, or a population below 2.
    """

    rung = 0  # all are trained alike

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        costs: Sequence[Callable[[Genotype], float]],
        population: int = POPULATION,
    ):
        if population < 2 or not costs:
            raise InputError(
                "`nsga2_population` must be at least 2 and `objectives` have a cost "
                f"beside the accuracy; received {population} and {len(costs)} costs"
            )
        self._optuna = import_optuna("nsga2")
        self._space, self._seed, self._evaluated = space, seed, 0
        self._costs, self._population = tuple(costs), population
        self._distributions: dict[str, Any] = {
            d.name: self._optuna.distributions.CategoricalDistribution(
                range(len(d.options))
            )
            for d in decisions(space.name)
        }
        directions: list[Any] = ["maximize", *["minimize"] * len(costs)]
        self._study = self._optuna.create_study(directions=directions)
        # (attempt, trial, genotype) of the newest proposal
        self._pending: tuple[int, Any, Genotype] | None = None

    def propose(self, attempt: int = 0) -> Genotype:
        """Draws from the sampler, which is seeded anew for each proposal."""
        return self._asked(attempt)[1]

    def _asked(self, attempt: int) -> tuple[Any, Genotype]:
        """Returns the trial of a proposal, asked for once, and its genotype."""
        if self._pending is None or self._pending[0] != attempt:
            self._forget()
            seeds = np.random.SeedSequence((self._seed, self._evaluated, attempt))
            self._study.sampler = self._optuna.samplers.NSGAIISampler(
                population_size=self._population, seed=int(seeds.generate_state(1)[0])
            )
            trial = self._study.ask(self._distributions)
            genotype = decide(self._space, lambda d: int(trial.params[d.name]))
            self._pending = attempt, trial, genotype
        return self._pending[1:]

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Adds an evaluated genotype to its generation.

        One that was proposed before this process began is proposed again, since its
        trial has genes that the genotype does not show.
        """
        attempt = 0 if self._pending is None else self._pending[0]
        trial, proposed = self._asked(attempt)
        if proposed != genotype:  # of another strategy
            self._forget()
            self._study.enqueue_trial(decided(genotype))
            trial, _ = self._asked(0)
        values = [worth, *(float(cost(genotype)) for cost in self._costs)]
        self._study.tell(trial, values)
        self._pending = None
        self._evaluated += 1

    def _forget(self) -> None:
        """Ends the trial of a proposal that was refused; the sampler passes it over."""
        if self._pending is not None:
            failed = self._optuna.trial.TrialState.FAIL
            self._study.tell(self._pending[1], state=failed)
            self._pending = None
