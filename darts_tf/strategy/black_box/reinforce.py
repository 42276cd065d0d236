"""A controller that learns by REINFORCE which genotypes to propose.

The policy is the simplest one: for each decision of the space
(space/decisions.py) its own logits, independent of the others, as in
NAS-Bench-201's baseline (Dong and Yang 2020) and not the recurrent network of
Zoph and Le 2017. With the worth R of a genotype a, the baseline b and the
decisions D(a) that were taken for it, the step (Williams 1992) is along

    (R - b) sum over d in D(a) of grad log p_d(a_d),

by Adam. b is the moving average of the worths, this one included, corrected
for its start.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.descent.optimizers import Adam
from darts_tf.errors import InputError
from darts_tf.space.cell import SearchSpace
from darts_tf.space.decisions import decide, decided, decisions
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts.derivation import softmax

LEARNING_RATE, BASELINE = 0.01, 0.9
"""Of the benchmark's authors' scripts (Dong et al. 2021, NATS-Bench)."""

START = 1e-3  # standard deviation of the first logits, theirs too


class Reinforce:
    """A policy gradient on independent categorical decisions.

    Args:
      space: the space to search.
      seed: of the first logits and of all draws.
      learning_rate: of Adam, with betas (0.9, 0.999).
      baseline: share of the moving average that stays at each step.

    Raises:
      InputError: a learning rate that is not positive, or a share outside of
        [0, 1).
    """

    rung = 0  # all are trained alike

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        learning_rate: float = LEARNING_RATE,
        baseline: float = BASELINE,
    ):
        if learning_rate <= 0 or not 0 <= baseline < 1:
            raise InputError(
                f"`reinforce_learning_rate` must be above 0 and "
                f"`reinforce_baseline` a share in [0, 1); received "
                f"{learning_rate} and {baseline}"
            )
        self._space, self._seed, self._evaluated = space, seed, 0
        self._keep, self._mean, self._weight = baseline, 0.0, 0.0
        generator = np.random.default_rng(seed)
        self._decisions = decisions(space.name)
        ends = np.cumsum([len(d.options) for d in self._decisions])
        self._ends = ends[:-1]
        # The logits of all decisions, concatenated: one tensor for Adam.
        self._logits = START * generator.standard_normal(ends[-1])
        self._adam = Adam(learning_rate, beta1=0.9)
        with tf.device("CPU"):
            self._slots = self._adam.slots([self._logits])

    def policy(self) -> dict[str, np.ndarray]:
        """Returns the probability of each option, by the decision's name."""
        parts = np.split(self._logits, self._ends)
        return {
            decision.name: softmax(logits)
            for decision, logits in zip(self._decisions, parts, strict=True)
        }

    def propose(self, attempt: int = 0) -> Genotype:
        """Draws a genotype from the policy; another one for each attempt."""
        generator = np.random.default_rng((self._seed, self._evaluated, attempt))
        p = self.policy()
        return decide(
            self._space,
            lambda d: int(generator.choice(len(d.options), p=p[d.name])),
        )

    def tell(self, genotype: Genotype, worth: float) -> None:
        """Takes one step of Adam, up in the expected worth."""
        self._evaluated += 1
        self._mean = self._keep * self._mean + (1 - self._keep) * worth
        self._weight = self._keep * self._weight + 1 - self._keep
        advantage = worth - self._mean / self._weight
        choices, p = decided(genotype), self.policy()
        gradient = np.concatenate(
            [_log_gradient(p[name], choices.get(name)) for name in p]
        )
        with tf.device("CPU"):
            (moved,), self._slots = self._adam.step(
                [self._logits], [-advantage * gradient], self._slots
            )
        self._logits = moved.numpy()


def _log_gradient(p: np.ndarray, choice: int | None) -> np.ndarray:
    """Returns the gradient of log p[choice] in the logits; 0 without a choice."""
    if choice is None:
        return np.zeros_like(p)
    return np.eye(len(p))[choice] - p
