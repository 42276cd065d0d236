"""The strategies that ask what a genotype is worth, by name.

They propose a genotype, are told its worth, and propose the next. What a
worth is and who finds it out is none of their business
(strategy/black_box/evaluation_loop.py asks). A proposal is a function of the seed and
of all that was told before, in its order: so telling it all again brings a
strategy back to where it was, and asking twice gives the same answer.
"""

from __future__ import annotations

from typing import Protocol

from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.black_box.bayesian import Bayesian
from darts_tf.strategy.black_box.evolution import RegularisedEvolution
from darts_tf.strategy.black_box.random_search import RandomSearch
from darts_tf.strategy.black_box.reinforce import Reinforce

STRATEGIES = {
    "random": RandomSearch,
    "evolution": RegularisedEvolution,
    "reinforce": Reinforce,
    "bayesian": Bayesian,
}


class Strategy(Protocol):
    """Asks and learns."""

    def propose(self) -> Genotype:
        """What is to be evaluated next."""

    def tell(self, genotype: Genotype, worth: float) -> None:
        """A finite worth of what was proposed; higher is better."""


def strategy_by_name(name: str, space: SearchSpace, seed: int, **settings) -> Strategy:
    """A strategy that knows nothing yet.

    Args:
      name: one of STRATEGIES.
      space: what it looks through.
      seed: of all that is random in it.
      **settings: of this strategy; its own defaults otherwise.

    Raises:
      InputError: no such strategy, or a setting that it cannot use.
    """
    if name not in STRATEGIES:
        raise InputError(
            f"unknown strategy {name!r}; the strategies that ask for a worth "
            f"are {', '.join(STRATEGIES)}"
        )
    return STRATEGIES[name](space, seed, **settings)
