"""Bayesian optimisation: Optuna's tree-structured Parzen estimator.

TPE (Bergstra et al. 2011) models where the good and where the other
genotypes lie, one density for each decision of the space
(space/decisions.py), and proposes what the first makes likely and the second
does not. A decision that is only taken where another one says so is
modelled on the genotypes that took it. The sampler is Optuna's, with its own
constants; here are only the space and the memory.
"""

from __future__ import annotations

import numpy as np

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.decisions import decide, decided, decisions
from darts_tf.space.genotype import Genotype

STARTUP = 10
"""Optuna's own number of random proposals before the model is used."""


class Bayesian:
    """Optuna's TPESampler over the decisions of a space.

    Args:
      space: the space to search.
      seed: of all draws.
      startup: random proposals before the first one of the model.

    Raises:
      InputError: Optuna is not installed, or a number below 1.
    """

    rung = 0  # all are trained alike

    def __init__(self, space: SearchSpace, seed: int, startup: int = STARTUP):
        if startup < 1:
            raise InputError(
                f"`bayesian_startup={startup}`: the search starts from random "
                f"proposals; give at least 1"
            )
        self._optuna = import_optuna("bayesian")
        self._space, self._seed, self._evaluated = space, seed, 0
        self._startup = startup
        self._distributions = {
            d.name: self._optuna.distributions.CategoricalDistribution(
                range(len(d.options))
            )
            for d in decisions(space.name)
        }
        self._study = self._optuna.create_study(direction="maximize")

    def propose(self, attempt: int = 0) -> Genotype:
        """Draws from the sampler, which is seeded anew for each proposal."""
        seeds = np.random.SeedSequence((self._seed, self._evaluated, attempt))
        self._study.sampler = self._optuna.samplers.TPESampler(
            n_startup_trials=self._startup,
            seed=int(seeds.generate_state(1)[0]),
        )
        trial = self._study.ask()
        proposal = decide(
            self._space,
            lambda d: int(trial.suggest_categorical(d.name, range(len(d.options)))),
        )
        # `tell` adds the evaluation as another trial.
        self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        return proposal

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Adds an evaluated genotype to the sampler's model."""
        params = decided(genotype)
        self._study.add_trial(
            self._optuna.trial.create_trial(
                params=params,
                distributions={n: self._distributions[n] for n in params},
                value=worth,
            )
        )
        self._evaluated += 1


def import_optuna(strategy: str):
    """Imports Optuna only when a strategy uses it.

    Raises:
      InputError: it is not installed; the message names the strategy.
    """
    try:
        import optuna
    except ImportError:
        raise InputError(
            f"`strategy={strategy}` needs Optuna, which is not installed: pip "
            "install optuna"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
