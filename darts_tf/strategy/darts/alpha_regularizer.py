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
- kl_anchor, of the relaxation dirichlet: the divergence of the distribution from
  the uniform one, Dirichlet(1) (Chen et al., ICLR 2021, "DrNAS", eq. 4).
- zero_one, of the relaxation sigmoid: minus the mean squared distance of the
  weights from 1/2, which drives them to 0 or 1 (Chu et al., ECCV 2020,
  "FairDARTS").

The first two are computed for each kind of cell, and added up.

Departures: in the authors' code a search by eq. 8 has no beta decay; here all
gradients of alpha have it. Alpha's own weight decay stays, as in their code.
A warm-up is theirs to leave out: here the strength rises over the epochs in
which alpha moves. Edges' own weights (PC-DARTS's beta) have no penalty.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts.other_relaxations import concentrations
from darts_tf.strategy.darts.primitives import arithmetic
from darts_tf.strategy.darts.search_settings import SearchSettings


def beta_decay(alpha):
    """Computes the sum over cells of mean over edges of log sum_o exp(alpha_o), [].

    Args:
      alpha: for each cell [edges, candidates], as of all penalties.
    """
    rows = [tf.reduce_logsumexp(a, axis=-1) for a in alpha]
    return tf.add_n([tf.reduce_mean(row) for row in rows])


def entropy(alpha):
    """Computes the sum over cells of mean over edges of softmax's entropy, nats, []."""
    logarithms = [tf.nn.log_softmax(a, axis=-1) for a in alpha]
    rows = [-tf.reduce_sum(tf.exp(p) * p, axis=-1) for p in logarithms]
    return tf.add_n([tf.reduce_mean(row) for row in rows])


def kl_anchor(alpha):
    """Computes KL(Dirichlet(elu(alpha) + 1), Dirichlet(1)), summed over edges, []."""
    return tf.add_n([tf.reduce_sum(_divergence(concentrations(a))) for a in alpha])


def _divergence(c):
    """Computes KL(Dirichlet(c), Dirichlet(1)) of each row of c, [edges]."""
    total = tf.reduce_sum(c, axis=-1, keepdims=True)
    count = tf.cast(tf.shape(c)[-1], c.dtype)
    slopes = (c - 1) * (tf.math.digamma(c) - tf.math.digamma(total))
    return (
        tf.math.lgamma(tf.squeeze(total, -1))
        - tf.math.lgamma(count)
        + tf.reduce_sum(slopes - tf.math.lgamma(c), axis=-1)
    )


def zero_one(alpha):
    """Computes minus the mean of (sigmoid(alpha) - 1/2)^2 over all candidates, []."""
    together = tf.concat([tf.reshape(a, [-1]) for a in alpha], 0)
    return -tf.reduce_mean(tf.square(tf.sigmoid(together) - 0.5))


PENALTIES = {
    "beta_decay": beta_decay,
    "entropy": entropy,
    "kl_anchor": kl_anchor,
    "zero_one": zero_one,
}
"""The penalties of the alpha of all cells, by name."""


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
        """Returns the penalty, [].

        Args:
          alpha: for each cell [edges, candidates], or with edges' own weights
            one column more, which is left out.
        """
        pairs = zip(self.space.cells, alpha, strict=True)
        return PENALTIES[self.name]([spec.parted(rows)[0] for spec, rows in pairs])


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
        self._penalty = None if name in (None, "none") else Penalty(name, space)

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
