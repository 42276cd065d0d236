"""Relaxes the choice of operations otherwise than by the softmax of eq. 2.

Each function takes the alpha of one cell [edges, candidates] and gives mixing
weights of that shape; random ones are a function of alpha, a seed, which is one of
the search's seed and the step, and for gumbel of its temperature tau.

- dirichlet (DrNAS; Chen et al., ICLR 2021): a draw from the Dirichlet
  distribution with concentrations elu(alpha) + 1, differentiated along the
  path (implicit reparameterisation of its gamma variables).
- sigmoid (FairDARTS; Chu et al., ECCV 2020): candidates do not compete.
- gumbel (GDAS; Dong and Yang, CVPR 2019): one candidate an edge, drawn with the
  probabilities softmax(alpha) by Gumbel noise G. Its weight is 1 and all others
  are 0; the gradient is taken as if they were softmax((alpha + G) / tau). Only
  the drawn candidate is computed (networks/sampled_edges.py), so the others'
  weights have the derivative 0.

The softmax is a part of the losses themselves (strategy/darts/relaxation.py),
which take alpha / T. With the others losses take mixing weights p, so that the
equations of strategy/darts/bilevel.py are in p, and the gradient of alpha
follows by the chain rule, (dp / dalpha)^T dL / dp. That is exact, for w' too
depends on alpha through p alone. All passes of one
gradient of alpha see one draw; the step on w has one of its own, and so has
each kind of cell. What is measured, reported and derived has the mean weights.

Departures: what GDAS measures at an epoch's end is the path of the largest
alphas. DrNAS's code draws anew in each pass; it ranks edges by
softmax(alpha), and here edges are ranked by the distribution's means, as the
paper derives operations. FairDARTS keeps what lies above a threshold of 0.85,
up to two edges a node, and may keep fewer; genotypes have a fixed number of
edges here, so the largest sigmoids are kept. Its code starts alpha from 0 and
has no zero operation; here alpha starts as for all others, and the zero
operation, which moves nothing, is never derived.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts.primitives import arithmetic
from darts_tf.strategy.darts.search_settings import SearchSettings

fold_in = tf.random.experimental.stateless_fold_in

ALPHA_DRAW, WEIGHT_DRAW = 1, 2
"""The draws of a step: of alpha's gradient, and of the step on w."""


def concentrations(alpha):
    """Computes elu(alpha) + 1, above 0 for every alpha, shaped like alpha."""
    return tf.where(alpha > 0, alpha + 1, tf.exp(tf.minimum(alpha, 0)))


def dirichlet(alpha, seed, tau=None):
    """Draws mixing weights [edges, candidates] from Dirichlet(elu(alpha) + 1)."""
    del tau
    gamma = tf.random.stateless_gamma(
        tf.shape(alpha), seed, concentrations(alpha), dtype=alpha.dtype
    )
    return gamma / tf.reduce_sum(gamma, axis=-1, keepdims=True)


def sigmoid(alpha, seed, tau=None):
    """Computes a weight in (0, 1) for each candidate, [edges, candidates]."""
    del seed, tau
    return tf.sigmoid(alpha)


def gumbel(alpha, seed, tau):
    """Draws one candidate an edge: 1 for it, 0 for others, [edges, candidates].

    Straight through: the derivative is that of softmax((alpha + G) / tau).
    """
    least = alpha.dtype.as_numpy_dtype(1e-20)
    uniform = tf.random.stateless_uniform(tf.shape(alpha), seed, least, 1, alpha.dtype)
    noise = -tf.math.log(-tf.math.log(uniform))
    soft = tf.nn.softmax((alpha + noise) / tf.cast(tau, alpha.dtype), axis=-1)
    chosen = tf.argmax(alpha + noise, axis=-1)
    hard = tf.one_hot(chosen, alpha.shape[-1], dtype=alpha.dtype)
    return hard + (soft - tf.stop_gradient(soft))


FUNCTIONS = {"dirichlet": dirichlet, "sigmoid": sigmoid, "gumbel": gumbel}
"""The relaxations by name."""


def dirichlet_mean(alpha):
    """Computes the mean of Dirichlet(elu(alpha) + 1), [edges, candidates]."""
    weights = concentrations(alpha)
    return weights / tf.reduce_sum(weights, axis=-1, keepdims=True)


MEANS = {
    "softmax": tf.nn.softmax,
    "dirichlet": dirichlet_mean,
    "sigmoid": tf.sigmoid,
    "gumbel": tf.nn.softmax,
}
"""The mean mixing weights of alpha as tensors; derivation.MEANS has them as arrays."""


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """A relaxation of the alpha of all cells of a space.

    Attributes:
      name: one of FUNCTIONS.
      space: what is searched.
    """

    name: str
    space: SearchSpace

    def __call__(self, alpha, seed, tau=1.0):
        """Computes mixing weights, a list of tensors shaped like alpha.

        Args:
          alpha: for each cell [edges, candidates], or with edges' own weights
            one column more, which stays as it is.
          seed: int32 [2].
          tau: the temperature of gumbel, a scalar.
        """
        return [
            self._of_cell(spec, rows, fold_in(seed, number), tau)
            for number, (spec, rows) in enumerate(
                zip(self.space.cells, alpha, strict=True)
            )
        ]

    def _of_cell(self, spec, rows, seed, tau):
        candidates, beta = spec.parted(rows)
        weights = FUNCTIONS[self.name](candidates, seed, tau)
        if beta is None:
            return weights
        return tf.concat([weights, beta[:, tf.newaxis]], axis=1)


@arithmetic
def mixing_weights(relaxation: Relaxation, alpha, seed, draw, tau):
    """Computes the mixing weights of a draw, shaped like alpha."""
    return relaxation(alpha, fold_in(seed, draw), tau)


@arithmetic
def pull_back(relaxation: Relaxation, alpha, seed, draw, tau, gradient):
    """Computes (dp / dalpha)^T gradient at the same draw, shaped like alpha."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(alpha)
        weights = relaxation(alpha, fold_in(seed, draw), tau)
    return tape.gradient(weights, alpha, output_gradients=gradient)


class SearchRelaxation:
    """Relaxes alpha as the settings name it, for losses that fit it.

    Args:
      space: what is searched.
      settings: the protocol.
    """

    def __init__(self, space: SearchSpace, settings: SearchSettings):
        name, self._settings = settings.relaxation, settings
        self._relaxation = None if name == "softmax" else Relaxation(name, space)

    def weights(self, alpha, seed, epoch: int, draw: int):
        """Returns what losses take: mixing weights, or alpha / T with softmax.

        Args:
          alpha: alpha / T.
          seed: int32 [2], of the step.
          epoch: counted from 0.
          draw: ALPHA_DRAW or WEIGHT_DRAW.
        """
        if self._relaxation is None:
            return alpha
        return mixing_weights(self._relaxation, alpha, seed, *self._how(epoch, draw))

    def pull_back(self, gradient, alpha, seed, epoch: int, draw: int):
        """Returns a gradient with respect to `weights` as one with respect to alpha."""
        if self._relaxation is None:
            return gradient
        how = self._how(epoch, draw)
        return pull_back(self._relaxation, alpha, seed, *how, gradient)

    def _how(self, epoch: int, draw: int) -> tuple:
        return tf.constant(draw), tf.constant(self._settings.tau_in(epoch), tf.float32)

    def scalars(self, epoch: int) -> dict[str, float]:
        """Returns gumbel's temperature in an epoch counted from 0, by name."""
        if self._settings.relaxation != "gumbel":
            return {}
        return {"gumbel_tau": self._settings.tau_in(epoch)}
