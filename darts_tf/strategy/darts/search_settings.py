"""The settings of a search, and their schedules over the epochs."""

from __future__ import annotations

import dataclasses

from darts_tf.descent.schedules import cosine, geometric, linear
from darts_tf.strategy.lambda_darts import regularizer

EPSILON_START = 0.03
"""Epsilon of alpha's perturbation in the first epoch (Chen and Hsieh 2020)."""


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """The paper's protocol for images (DARTS sect. A.1.1) by default.

    Attributes:
      method: one of bilevel.METHODS.
      epochs, steps_per_epoch, batch_size: of the weight steps.
      micro_batches: equal slices of a batch that are computed in turn
        (strategy/darts/micro_batches.py).
      learning_rate, learning_rate_min: of w, by cosine over the epochs.
      momentum, weight_decay, clip_norm: of w.
      alpha_learning_rate, alpha_weight_decay, alpha_beta1: of alpha, by Adam
        with betas (alpha_beta1, 0.999).
      lambda_regularizer: "none" or one of lambda_darts.regularizer.KINDS, added to w's
        gradient; lambda_strength at the end, lambda_gradient, lambda_epsilon,
        lambda_cells: see lambda_darts.regularizer.LambdaRegularizer.
      relaxation: "softmax", or one of other_relaxations.FUNCTIONS.
      gumbel_tau, gumbel_tau_end: tau of gumbel in the first epoch and the last,
        falling linearly.
      alpha_regularizer: None, "none" or one of alpha_regularizer.PENALTIES, whose
        gradient is added to alpha's.
      alpha_regularizer_strength: its factor.
      alpha_regularizer_schedule: "constant", or "linear" (None, too): the factor
        rises from 0 in the first epoch in which alpha moves.
      alpha_perturbation: "none", "random" or "adversarial", of the mixing weights
        in w's step (strategy/darts/alpha_perturbation.py).
      alpha_perturbation_epsilon: the largest change of a mixing weight; it rises
        to this linearly from EPSILON_START.
      temperature_end: T of the softmax in the last epoch; it falls
        geometrically from 1 in the first one. 1: no annealing.
      precision: one of descent.precision.PRECISIONS.
      partial_channels: K of the network's cells; above 1 alpha has a column
        beta (strategy/darts/relaxation.py).
      warmup_epochs: first epochs in which w moves alone.
      seed: of alpha's start and of dropout.
      compiled: False for plain networks, plain tapes and no compiled functions.
    """

    method: str
    epochs: int
    steps_per_epoch: int
    batch_size: int
    learning_rate: float = 0.025
    learning_rate_min: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float = 5.0
    alpha_learning_rate: float = 3e-4
    alpha_weight_decay: float = 1e-3
    alpha_beta1: float = 0.5
    lambda_regularizer: str = "none"
    lambda_strength: float = regularizer.STRENGTH
    lambda_gradient: str = regularizer.GRADIENTS[0]
    lambda_epsilon: float = regularizer.EPSILON
    lambda_cells: str = "normal"
    relaxation: str = "softmax"
    gumbel_tau: float = 10.0
    gumbel_tau_end: float = 0.1
    alpha_regularizer: str | None = None
    alpha_regularizer_strength: float | None = None
    alpha_regularizer_schedule: str | None = None
    alpha_perturbation: str = "none"
    alpha_perturbation_epsilon: float = 0.3
    temperature_end: float = 1.0
    micro_batches: int = 1
    precision: str = "float32"
    partial_channels: int = 1
    warmup_epochs: int = 0
    seed: int = 0
    compiled: bool = True

    def learning_rate_in(self, epoch: int) -> float:
        """Returns the learning rate of w in an epoch counted from 0."""
        return cosine(self.learning_rate, self.learning_rate_min, epoch, self.epochs)

    def lambda_in(self, epoch: int) -> float:
        """Returns lambda in an epoch counted from 0."""
        return regularizer.ramp(self.lambda_strength, epoch, self.epochs)

    def epsilon_in(self, epoch: int) -> float:
        """Returns the perturbation's epsilon in an epoch counted from 0.

        Its end would be reached at epoch number `epochs`, as in the authors' code.
        """
        end = self.alpha_perturbation_epsilon
        start = min(EPSILON_START, end)
        return start + linear(end - start, epoch, self.epochs)

    def tau_in(self, epoch: int) -> float:
        """Returns gumbel's temperature in an epoch counted from 0."""
        share = epoch / max(self.epochs - 1, 1)
        return self.gumbel_tau + (self.gumbel_tau_end - self.gumbel_tau) * share

    def alpha_strength_in(self, epoch: int) -> float:
        """Returns the strength of alpha's regularizer in an epoch counted from 0.

        Linear: strength * k / K in the k-th of the K epochs in which alpha
        moves, counted from 0, as in the code of Ye et al. (CVPR 2022).
        """
        strength, first = self.alpha_regularizer_strength or 0.0, self.warmup_epochs
        if self.alpha_regularizer_schedule == "constant":
            return strength
        return linear(strength, max(epoch - first, 0), self.epochs - first)

    def temperature_in(self, epoch: int) -> float:
        """Returns T of the softmax in an epoch counted from 0."""
        return geometric(self.temperature_end, epoch, self.epochs)
