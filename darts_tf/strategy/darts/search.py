"""Algorithm 1 of DARTS: alternate steps on alpha and on w.

Each step takes one batch of each half of the training data: first alpha
moves along the architecture gradient (strategy/darts/bilevel.py), then w along
grad_w L_train. In the first `warmup_epochs` alpha stays where it is and L_val is
not computed (Xu et al. 2020). strategy/darts/search_loop.py repeats the step.

What later papers add to it are parts that do nothing unless the settings name them:
other relaxations than the softmax (other_relaxations.py), penalties of alpha
(alpha_regularizer.py) and of what networks cost (cost_penalty.py), a regularizer
of w (strategy/lambda_darts), and mixing weights that are perturbed where w moves
(alpha_perturbation.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from darts_tf.descent.replicas import Replicas
from darts_tf.strategy.darts.alpha_perturbation import AlphaPerturbation
from darts_tf.strategy.darts.alpha_regularizer import AlphaRegularizer
from darts_tf.strategy.darts.bilevel import (
    Unroll,
    architecture_gradient,
    forward_over_reverse,
    implicit_term,
    reverse_over_reverse,
)
from darts_tf.strategy.darts.cost_penalty import CostPenalty
from darts_tf.strategy.darts.other_relaxations import (
    ALPHA_DRAW,
    WEIGHT_DRAW,
    SearchRelaxation,
)
from darts_tf.strategy.darts.search_settings import SearchSettings
from darts_tf.strategy.darts.tasks import Task
from darts_tf.strategy.lambda_darts.search_regularizer import Regularizer


@dataclasses.dataclass(frozen=True)
class Step:
    """The results of one step.

    Attributes:
      train_loss, train_aux: of L_train at the w before the step.
      valid_loss, valid_aux: of L_val at w'; None while alpha stays.
      alpha_skipped, w_skipped: whether a gradient overflowed, so that the
        step along it was left out.
    """

    train_loss: object
    train_aux: Mapping
    valid_loss: object
    valid_aux: Mapping | None
    alpha_skipped: object
    w_skipped: object


class Algorithm1:
    """Takes steps on alpha and on w.

    Args:
      task: the network and its data.
      settings: the protocol.
      replicas: where it runs.
      cost_penalty: draws alpha towards cheaper networks; None: it does not.

    Raises:
      InputError: a regularizer that the task's network has not enough cells for.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        replicas: Replicas,
        cost_penalty: CostPenalty | None = None,
    ):
        self.task, self.settings, self.cost_penalty = task, settings, cost_penalty
        directional = settings.compiled and task.has_directional_derivatives
        exact = forward_over_reverse if directional else reverse_over_reverse
        self.implicit = implicit_term(settings.method, exact)
        self.relaxation = SearchRelaxation(task.space, settings)
        self.alpha_regularizer = AlphaRegularizer(task.space, settings)
        self.perturbation = AlphaPerturbation(task, settings)
        self.regularizer = Regularizer(task, settings, replicas)

    def step(self, architecture, weights, train, valid, seed, rate, epoch: int) -> Step:
        """Moves alpha along eq. 7, then w along grad_w L_train.

        Args:
          architecture, weights: hold alpha and w.
          train, valid: batches for L_train and L_val.
          seed: int32 [2], of all random operations.
          rate: xi, the learning rate of w.
          epoch: counted from 0.
        """
        loss, valid_loss = self.task.train_loss, self.task.valid_loss
        descent = self.regularizer.weight_gradient(epoch)  # grad_w
        w = weights.read()
        (valid_value, valid_aux), alpha_skipped = (None, None), 0.0
        if epoch >= self.settings.warmup_epochs:
            alpha = architecture.read()
            mixed = self.relaxation.weights(alpha, seed, epoch, ALPHA_DRAW)
            unroll = Unroll(weights.sgd, weights.read_slots(), rate, descent)
            gradient, valid_value, valid_aux = architecture_gradient(
                loss, w, mixed, train, valid, seed, unroll, self.implicit, valid_loss
            )
            gradient = self.alpha_gradient(gradient, alpha, seed, epoch)
            alpha_skipped = architecture.move(gradient)
        alpha = architecture.read()
        mixed = self.relaxation.weights(alpha, seed, epoch, WEIGHT_DRAW)
        mixed = self.perturbation.perturbed(w, mixed, train, seed, epoch)
        g, value, aux = descent(loss, w, mixed, train, seed)
        w_skipped = weights.move(w, g, rate)
        return Step(value, aux, valid_value, valid_aux, alpha_skipped, w_skipped)

    def alpha_gradient(self, gradient, alpha, seed, epoch: int):
        """Returns the gradient along which alpha / T descends, with its penalties.

        Args:
          gradient: with respect to what losses take.
          alpha: alpha / T.
          seed: int32 [2], of the step.
          epoch: counted from 0.
        """
        gradient = self.relaxation.pull_back(gradient, alpha, seed, epoch, ALPHA_DRAW)
        gradient = self.alpha_regularizer.regularized(gradient, alpha, epoch)
        if self.cost_penalty is None:
            return gradient
        return self.cost_penalty.penalised(gradient, alpha)
