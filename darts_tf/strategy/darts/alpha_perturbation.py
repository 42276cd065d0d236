"""Perturbs the mixing weights in the step on w: SmoothDARTS (Chen and Hsieh 2020).

arXiv 2002.05283. w learns at mixing weights p + delta, |delta_k| <= epsilon, so that
the loss is flat around p; alpha's own gradient is taken at p.

- random: delta is uniform in [-epsilon, epsilon] (SDARTS-RS).
- adversarial: delta makes L_train large, by PGD_STEPS steps of projected gradient
  ascent from a random start (SDARTS-ADV). A step has the length 2 epsilon /
  PGD_STEPS and follows the gradient's signs. Where the loss at the end is below that
  at p, p is taken.

Weights are clipped to [0, 1] and scaled to the sum 1 of their edge again (not those
of the relaxation sigmoid, which have no sum). epsilon rises linearly over the epochs.

Departures: the authors' code attacks with the running statistics of batch norm, here
the batch's are used as in every training pass. As in their code, w' of eq. 6 is the
step without perturbation. Edges' own weights (PC-DARTS's beta) are not perturbed.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts.bilevel import grad_alpha
from darts_tf.strategy.darts.other_relaxations import fold_in
from darts_tf.strategy.darts.primitives import arithmetic, derivative
from darts_tf.strategy.darts.search_settings import SearchSettings

PGD_STEPS = 7
"""Steps of the adversary, as published."""

DRAW = 3
"""Tells the random delta from the draws of a relaxation."""


@dataclasses.dataclass(frozen=True)
class Neighbourhood:
    """The mixing weights around some, and the form in which losses take them.

    Attributes:
      space: what is searched.
      relaxed: whether losses take mixing weights; if not, alpha / T.
      competing: whether the weights of an edge add up to 1.
    """

    space: SearchSpace
    relaxed: bool
    competing: bool

    def parted(self, rows) -> list:
        """Returns (weights [edges, candidates], column [edges] or None) by cell."""
        cells = zip(self.space.cells, rows, strict=True)
        return [spec.parted(row) for spec, row in cells]

    def each(self, function, *lists) -> list:
        """Applies a function to the cells' weights; columns stay the first list's."""
        parted = [self.parted(rows) for rows in lists]
        return [
            _joined(function(*(weights for weights, _ in cell)), cell[0][1])
            for cell in zip(*parted, strict=True)
        ]

    def project(self, weights):
        """Clips weights to [0, 1], and scales each edge's to the sum 1."""
        clipped = tf.clip_by_value(weights, 0, 1)
        if not self.competing:
            return clipped
        best = tf.one_hot(
            tf.argmax(weights, axis=-1), weights.shape[-1], dtype=weights.dtype
        )
        total = tf.reduce_sum(clipped, axis=-1, keepdims=True)
        clipped = tf.where(total > 0, clipped, best)
        return clipped / tf.reduce_sum(clipped, axis=-1, keepdims=True)


def _joined(weights, column):
    if column is None:
        return weights
    return tf.concat([weights, column[:, tf.newaxis]], axis=1)


@arithmetic
def weights_of(around: Neighbourhood, taken):
    """Computes the mixing weights p of what losses take, shaped like alpha."""
    if around.relaxed:
        return list(taken)
    return around.each(lambda alpha: tf.nn.softmax(alpha, axis=-1), taken)


@arithmetic
def taken_of(around: Neighbourhood, weights):
    """Computes what losses take of mixing weights; softmax(log p) is p."""
    if around.relaxed:
        return list(weights)
    return around.each(tf.math.log, weights)


@arithmetic
def random_neighbour(around: Neighbourhood, weights, seed, epsilon):
    """Computes p + delta, delta uniform in [-epsilon, epsilon], projected."""
    seeds = iter([fold_in(fold_in(seed, DRAW), n) for n in range(len(weights))])

    def moved(p):
        reach = tf.cast(epsilon, p.dtype)
        drawn = tf.random.stateless_uniform(p.shape, next(seeds), -1, 1, p.dtype)
        return around.project(p + reach * drawn)

    return around.each(moved, weights)


@arithmetic
def ascend(around: Neighbourhood, weights, neighbour, gradient, epsilon):
    """Computes the neighbour after one step of the adversary."""

    def moved(p, q, g):
        reach = tf.cast(epsilon, p.dtype)
        q += 2 * reach / PGD_STEPS * tf.sign(g)
        return around.project(p + tf.clip_by_value(q - p, -reach, reach))

    return around.each(moved, weights, neighbour, gradient)


@arithmetic
def the_worse(around: Neighbourhood, weights, neighbour, before, after):
    """Returns the neighbour, or the weights if their loss is larger."""
    return around.each(lambda p, q: tf.where(before > after, p, q), weights, neighbour)


@derivative
def loss_value(loss, w, alpha, batch, seed):
    """Computes (L, no aux)."""
    value, _ = loss(w, alpha, batch, seed)
    return value, {}


def adversary(around: Neighbourhood, loss, w, weights, batch, seed, epsilon):
    """Computes mixing weights near `weights` at which L is large.

    Args:
      around: the neighbourhood.
      loss: loss(w, weights, batch, seed), of mixing weights.
      w, weights, batch, seed: where.
      epsilon: the largest change of a weight, a scalar.
    """
    neighbour = random_neighbour(around, weights, seed, epsilon)
    for _ in range(PGD_STEPS):
        g, _, _ = grad_alpha(loss, w, neighbour, batch, seed)
        neighbour = ascend(around, weights, neighbour, g, epsilon)
    before, _ = loss_value(loss, w, weights, batch, seed)
    after, _ = loss_value(loss, w, neighbour, batch, seed)
    return the_worse(around, weights, neighbour, before, after)


class AlphaPerturbation:
    """Perturbs what w's loss takes as the settings say, or not at all.

    Args:
      task: with `relaxed_loss`, L_train of mixing weights.
      settings: the protocol.
    """

    def __init__(self, task, settings: SearchSettings):
        self._settings, self._kind = settings, settings.alpha_perturbation
        if self._kind == "none":
            return
        self._loss = task.relaxed_loss
        self._around = Neighbourhood(
            task.space, task.relaxed, settings.relaxation != "sigmoid"
        )

    def perturbed(self, w, taken, batch, seed, epoch: int):
        """Returns what w's loss takes in its step.

        Args:
          w: before the step.
          taken: what losses take without perturbation.
          batch: of the step.
          seed: int32 [2], of the step.
          epoch: counted from 0.
        """
        if self._kind == "none":
            return taken
        around = self._around
        epsilon = tf.constant(self._settings.epsilon_in(epoch), tf.float32)
        weights = weights_of(around, taken)
        if self._kind == "random":
            weights = random_neighbour(around, weights, seed, epsilon)
        else:
            weights = adversary(around, self._loss, w, weights, batch, seed, epsilon)
        return taken_of(around, weights)

    def scalars(self, epoch: int) -> dict[str, float]:
        """Returns epsilon in an epoch counted from 0, by name."""
        if self._kind == "none":
            return {}
        return {"alpha_perturbation_epsilon": self._settings.epsilon_in(epoch)}
