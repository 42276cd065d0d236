"""The black-box strategies by name: they propose genotypes and learn their worths.

A strategy proposes a genotype, receives its worth, and proposes the next; an
estimator measures the worth (strategy/black_box/evaluation_loop.py). A proposal is
a function of the seed, of all worths before, in their order, and of the attempt: so
replaying them restores a strategy, and `propose` called twice gives the same
genotype.
"""

from __future__ import annotations

from typing import Protocol

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.asha import Asha
from darts_tf.strategy.black_box.bayesian import Bayesian
from darts_tf.strategy.black_box.evolution import RegularisedEvolution
from darts_tf.strategy.black_box.nsga2 import NSGA2
from darts_tf.strategy.black_box.random_search import RandomSearch
from darts_tf.strategy.black_box.reinforce import Reinforce

STRATEGIES = {
    "random": RandomSearch,
    "evolution": RegularisedEvolution,
    "reinforce": Reinforce,
    "bayesian": Bayesian,
    "asha": Asha,
    "nsga2": NSGA2,
}


class Strategy(Protocol):
    """Proposes genotypes and learns from their worths."""

    @property
    def rung(self) -> int:
        """Returns the rung of the next proposal's training; 0 where all train alike."""
        ...

    def propose(self, attempt: int = 0) -> Genotype:
        """Returns the next genotype to evaluate.

        Args:
          attempt: how many proposals have been refused since the last evaluation, as
            beyond a hard limit; each attempt is another draw.
        """
        ...

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Takes in the finite worth of a proposed genotype; higher is better."""


def strategy_by_name(name: str, space: SearchSpace, seed: int, **settings) -> Strategy:
    """Returns a new strategy, without evaluations.

    Args:
      name: one of STRATEGIES.
      space: the space to search.
      seed: of all that is random in it.
      **settings: of this strategy; its own defaults otherwise.

    Raises:
      InputError: no such strategy, or a setting that it cannot use.
    """
    if name not in STRATEGIES:
        raise InputError(
            f"`strategy={name}` is unknown; give one of {', '.join(STRATEGIES)}"
        )
    return STRATEGIES[name](space, seed, **settings)
