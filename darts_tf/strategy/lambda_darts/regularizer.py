"""Trains w so that layer gradients agree: Lambda-DARTS (Movahedi et al. 2023).

Weight sharing lets the cells near the output decide alone which operations
win; the sign of it is that the layer gradients g_l = dL_train/dp_l, p_l the
mixing weights of cell l, point in different directions. The regularizer adds
to w's loss minus lambda times their alignment (strategy/lambda_darts/alignment.py). Its
gradient is a derivative along u_l = d alignment / d g_l in the space of
mixing weights,

    - d/dw sum_l <d L_train(w, p) / d p_l, u_l>,    u held constant.

"finite_difference", the published way, takes it by a central difference:

    (grad_w L_train(w, p - epsilon u) - grad_w L_train(w, p + epsilon u))
    / (2 epsilon),    epsilon = epsilon_0 / |u over all cells|;

"exact" differentiates twice. Where the interval holds kinks (ReLU, max pooling) the
difference is the derivative and, across it, noise of many times its length
(benchmarks/studies/alignment_gradient; small networks only). Both work with
every gradient of alpha (strategy/darts/bilevel.py): the unrolled w' is the
regularized step.

Departures: the implicit term of the unrolled gradient holds the change of
grad_w L_train with alpha, but not that of the regularizer's gradient, a third
derivative. The authors' code cannot unroll at all. Theirs leaves reduction
cells alone, and so does this by default; they can be aligned too, each kind
of cell for itself.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from darts_tf.config import RegularizerCells, RegularizerGradient, names
from darts_tf.errors import InputError
from darts_tf.strategy.darts.bilevel import (
    central_difference,
    grad_w,
    grad_w_alpha,
    perturb,
    reverse_over_reverse,
)
from darts_tf.strategy.darts.primitives import FullPrecision, arithmetic
from darts_tf.strategy.darts.relaxation import cells_of
from darts_tf.strategy.lambda_darts.alignment import (
    mean_pairwise_cosine,
    mean_pairwise_sign,
)

KINDS = {"cosine": mean_pairwise_cosine, "sign": mean_pairwise_sign}
"""The measure of alignment that each regularizer makes large."""

GRADIENTS = names(RegularizerGradient)
"""The ways to take the derivative along u."""

CELLS = names(RegularizerCells)
"""The cells to align: those of the space's first kind, or of every kind."""

STRENGTH = 0.125
EPSILON = 1e-4
"""Final lambda, and epsilon_0, as published for the DARTS spaces."""


def ramp(strength: float, epoch: int, epochs: int) -> float:
    """Returns lambda in an epoch, counted from 0: linear from 0 to `strength`."""
    return strength * epoch / max(epochs - 1, 1)


def perturbations(alignment: Callable, gradients, groups):
    """Computes the layer gradients' mean pairwise cosine and u.

    Args:
      alignment: one of KINDS' values.
      gradients: the layer gradient [edges, candidates] of each cell.
      groups: lists of indices of cells; each group is aligned for itself.

    Returns:
      The mean pairwise cosine of the first group, []; for each cell
      u = d alignment / d g [edges, candidates], zero for cells in no group.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(gradients)
        total = tf.add_n([alignment([gradients[i] for i in group]) for group in groups])
    zero = tf.UnconnectedGradients.ZERO
    u = tape.gradient(total, gradients, unconnected_gradients=zero)
    return mean_pairwise_cosine([gradients[i] for i in groups[0]]), u


def aligned_groups(kinds, chosen) -> list[list[int]]:
    """Returns the indices of the cells that are aligned with each other.

    Args:
      kinds: the kind of each of the network's cells, in order.
      chosen: the kinds to align, each for itself.

    Raises:
      InputError: a kind that has fewer than two cells.
    """
    groups = []
    for kind in chosen:
        group = [i for i, other in enumerate(kinds) if other == kind]
        if len(group) < 2:
            raise InputError(
                f"Lambda-DARTS aligns cells of one kind with each other and "
                f"needs at least two; this network of {len(kinds)} cells has "
                f"{len(group)} '{kind}': give more `layers`, or "
                f"`lambda_regularizer=none`"
            )
        groups.append(group)
    return groups


class LambdaRegularizer:
    """Adds the regularizer's gradient to grad_w L_train.

    Args:
      cells_loss: L_train as loss(w, cells, batch, seed), cells being mixing
        weights (strategy/darts/relaxation.py).
      space: what is searched.
      kinds: the kind of each of the network's cells, in order.
      regularizer: one of KINDS.
      gradient: one of GRADIENTS.
      epsilon_0: length of the step of "finite_difference" in the space of
        mixing weights.
      cells: one of CELLS.
      relaxed: whether losses take mixing weights (strategy/darts/tasks.py).

    Raises:
      InputError: no such regularizer or gradient; too few cells.
    """

    def __init__(
        self,
        cells_loss: Callable,
        space,
        kinds,
        regularizer: str,
        gradient: str = GRADIENTS[0],
        epsilon_0: float = EPSILON,
        cells: str = "normal",
        relaxed: bool = False,
    ):
        _check(regularizer, KINDS, "lambda_regularizer")
        _check(gradient, GRADIENTS, "lambda_gradient")
        every = [spec.name for spec in space.cells]
        chosen = {"normal": every[:1], "all": every}[cells]
        groups = aligned_groups(kinds, chosen)
        self.cells_loss, self.gradient, self.epsilon_0 = cells_loss, gradient, epsilon_0

        def by_cells(cells, w, batch, seed):
            return cells_loss(w, cells, batch, seed)

        self._by_cells = by_cells
        self.cells_of = arithmetic(lambda alpha: cells_of(alpha, space, kinds, relaxed))
        self.perturbations = arithmetic(
            lambda layers: perturbations(KINDS[regularizer], layers, groups)
        )

    def __call__(self, loss, w, alpha, batch, seed, strength: float):
        """Computes grad_w L_train - strength d/dw <grad_cells L_train, u>.

        Args:
          loss: not used: cells_loss is the same L_train.
          w, alpha: flat lists of tensors.
          batch: for L_train.
          seed: int32 [2]; all passes see the same masks.
          strength: lambda; 0 spares the passes of the regularizer.

        Returns:
          (gradient shaped like w, L_train, its aux and two more scalars):
          aux["alignment"] is the mean pairwise cosine of the normal cells'
          layer gradients, [], whatever the regularizer; aux["share"] the norm
          of what is added over that of grad_w L_train, []: above 1 the
          regularizer decides where w goes.
        """
        del loss
        cells = self.cells_of(alpha)
        g, layers, value, aux = grad_w_alpha(self.cells_loss, w, cells, batch, seed)
        cosine, u = self.perturbations(layers)
        aux = {**aux, "alignment": cosine}
        if not strength:
            return g, value, {**aux, "share": _zero_like(cosine)}
        derivative = self.derivative(w, cells, batch, seed, u)
        g, share = _subtract(g, derivative, tf.constant(strength, tf.float32))
        return g, value, {**aux, "share": share}

    def derivative(self, w, cells, batch, seed, u):
        """Computes d/dw sum_l <d L_train / d p_l, u_l> at p = cells, shaped like w."""
        if self.gradient == "exact":
            loss = FullPrecision(self._by_cells)
            return reverse_over_reverse(loss, cells, w, batch, seed, u)
        loss = FullPrecision(self.cells_loss)
        p_plus, p_minus, epsilon = perturb(cells, u, self.epsilon_0)
        above, _, _ = grad_w(loss, w, p_plus, batch, seed)
        below, _, _ = grad_w(loss, w, p_minus, batch, seed)
        return central_difference(above, below, epsilon)


@arithmetic
def _subtract(g, derivative, strength):
    """Computes (g - strength derivative, |strength derivative| / |g|)."""
    added = [-tf.cast(strength, d.dtype) * d for d in derivative]
    norm = tf.linalg.global_norm
    share = tf.math.divide_no_nan(norm(added), norm(g))
    return [t + a for t, a in zip(g, added, strict=True)], share


@arithmetic
def _zero_like(value):
    return tf.zeros_like(value)


def _check(name: str, allowed, argument: str) -> None:
    if name not in allowed:
        raise InputError(
            f"`{argument}` must be one of {', '.join(allowed)}; received {name!r}"
        )
