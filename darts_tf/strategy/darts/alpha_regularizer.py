"""Regularizes alpha: adds the gradient of a penalty to alpha's gradient.

A penalty is a function of alpha alone, and no loss and no equation of
strategy/darts/bilevel.py knows of it: its gradient is added to that of L_val
where alpha is about to move. With a temperature T it is the penalty of
alpha / T, as all else is.

- beta_decay: the mean over edges of log sum_o exp(alpha_o), whose gradient is
  softmax(alpha) / edges (Ye et al., CVPR 2022, "beta-DARTS", eq. 11 and 13). It
  keeps the softmax flat and its largest weights from running away.
- entropy: the mean over edges of the entropy of softmax(alpha). It sharpens
  the softmax.

Both are computed for each kind of cell, and added up.

Departures: in the authors' code a search by eq. 8 has no beta decay; here all
gradients of alpha have it. Alpha's own weight decay stays, as in their code.
A warm-up is theirs to leave out: here the strength rises over the epochs in
which alpha moves. Edges' own weights (PC-DARTS's beta) have no penalty.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts.primitives import arithmetic
from darts_tf.strategy.darts.search_settings import SearchSettings


def beta_decay(alpha):
    """Computes the mean over edges of log sum_o exp(alpha_o), [].

    Args:
      alpha: of one cell, [edges, candidates].
    """
    return tf.reduce_mean(tf.reduce_logsumexp(alpha, axis=-1))


def entropy(alpha):
    """Computes the mean over edges of the entropy of softmax(alpha), in nats, [].

    Args:
      alpha: of one cell, [edges, candidates].
    """
    logarithms = tf.nn.log_softmax(alpha, axis=-1)
    return -tf.reduce_mean(tf.reduce_sum(tf.exp(logarithms) * logarithms, axis=-1))


PENALTIES = {"beta_decay": beta_decay, "entropy": entropy}
"""The penalties of the alpha of one cell, by name."""


@dataclasses.dataclass(frozen=True)
class Penalty:
    """A penalty of the alpha of all cells of a space.

    Attributes:
      name: one of PENALTIES.
      space: what is searched.
    """

    name: str
    space: SearchSpace

    def __call__(self, alpha):
        """Returns the sum over the cells of the space, [].

        Args:
          alpha: for each cell [edges, candidates], or with edges' own weights
            one column more, which is left out.
        """
        pairs = zip(self.space.cells, alpha, strict=True)
        return tf.add_n(
            [PENALTIES[self.name](spec.parted(rows)[0]) for spec, rows in pairs]
        )


@arithmetic
def add_gradient(penalty: Penalty, gradient, alpha, strength):
    """Computes gradient + strength d penalty / d alpha, shaped like alpha."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(alpha)
        value = penalty(alpha)
    added = tape.gradient(value, alpha)
    return [
        g + tf.cast(strength, g.dtype) * a for g, a in zip(gradient, added, strict=True)
    ]


class AlphaRegularizer:
    """Regularizes alpha's gradient as the settings name it, or not at all.

    Args:
      space: what is searched.
      settings: the protocol.
    """

    def __init__(self, space: SearchSpace, settings: SearchSettings):
        name, self._settings = settings.alpha_regularizer, settings
        self._penalty = None if name == "none" else Penalty(name, space)

    def regularized(self, gradient, alpha, epoch: int):
        """Returns the gradient along which alpha descends, shaped like alpha.

        Args:
          gradient: of L_val, with respect to alpha / T.
          alpha: alpha / T.
          epoch: counted from 0.
        """
        if self._penalty is None:
            return gradient
        strength = tf.constant(self._settings.alpha_strength_in(epoch), tf.float32)
        return add_gradient(self._penalty, gradient, alpha, strength)

    def scalars(self, epoch: int) -> dict[str, float]:
        """Returns the strength in an epoch counted from 0, by name."""
        if self._penalty is None:
            return {}
        return {"alpha_regularizer_strength": self._settings.alpha_strength_in(epoch)}
