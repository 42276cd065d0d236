"""Lambda-DARTS (Movahedi et al. 2023): training w so that layers agree.

Weight sharing lets the cells near the output decide alone which operations
win; the sign of it is that the layer gradients g_l = dL_train/dp_l, p_l the
mixing weights of cell l, point in different directions. The regulariser adds
to w's loss minus lambda times their alignment (strategy/lambda_darts/alignment.py). Its
gradient is a derivative along u_l = d alignment / d g_l in the space of
mixing weights,

    - d/dw sum_l <d L_train(w, p) / d p_l, u_l>,    u held constant.

"finite_difference", the published way, takes it by a central difference:

    (grad_w L_train(w, p - epsilon u) - grad_w L_train(w, p + epsilon u))
    / (2 epsilon),    epsilon = epsilon_0 / |u over all cells|;

"exact" differentiates twice. They are far apart wherever the interval holds
kinks (ReLU, max pooling): benchmarks/studies/alignment_gradient. Both work with
every gradient of alpha (strategy/darts/bilevel.py): the unrolled w' is the
regularised step.

Departures: the implicit term of the unrolled gradient holds the change of
grad_w L_train with alpha, but not that of the regulariser's gradient, a third
derivative. The authors' code cannot unroll at all. Theirs leaves reduction
cells alone, and so does this by default; they can be aligned too, each kind
of cell for itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from darts_tf.config import RegularizerCells, RegularizerGradient, names
from darts_tf.descent.precision import FLOAT32, Precision
from darts_tf.errors import InputError
from darts_tf.strategy.darts import bilevel, gradients
from darts_tf.strategy.darts.micro_batches import in_turn
from darts_tf.strategy.darts.relaxation import cells_of
from darts_tf.strategy.lambda_darts.alignment import (
    mean_pairwise_cosine,
    mean_pairwise_sign,
)

KINDS = {"cosine": mean_pairwise_cosine, "sign": mean_pairwise_sign}
"""The regularisers by name: what they make large."""

GRADIENTS = names(RegularizerGradient)
"""How the derivative along u is taken."""

CELLS = names(RegularizerCells)
"""Which are aligned: those of the space's first kind, or of every kind."""

STRENGTH = 0.125
EPSILON = 1e-4
"""lambda at the end and epsilon_0, as published for the DARTS spaces."""


def ramp(strength: float, epoch: int, epochs: int) -> float:
    """lambda in an epoch, counted from 0: linear from 0 to `strength`."""
    return strength * epoch / max(epochs - 1, 1)


def perturbations(alignment: Callable, gradients, groups):
    """(mean pairwise cosine, u) of the layer gradients.

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
    u = tape.gradient(total, gradients, unconnected_gradients="zero")
    return mean_pairwise_cosine([gradients[i] for i in groups[0]]), u


def aligned_groups(kinds, chosen) -> list[list[int]]:
    """Indices of the cells that are aligned with each other.

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
                f"{len(group)} '{kind}': give more --layers, or "
                f"--lambda_regularizer=none"
            )
        groups.append(group)
    return groups


class LambdaRegulariser:
    """grad_w L_train plus the regulariser's gradient, in small pieces.

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
      compile: turns a function of tensors into its compiled form.
      mean: averages a list of tensors over the replicas.
      micro_batches: equal slices of a batch that are computed in turn. The
        layer gradients that are aligned are the means over them.
      precision: what the first pass computes in. Those of the derivative
        along u are float32, as in eq. 8.

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
        compile: Callable = tf.function,
        mean: Callable = lambda values: values,
        micro_batches: int = 1,
        precision: Precision = FLOAT32,
    ):
        for given, allowed, name in (
            (regularizer, KINDS, "regularizer"),
            (gradient, GRADIENTS, "regularizer's gradient"),
        ):
            if given not in allowed:
                raise InputError(
                    f"the {name} must be one of {', '.join(allowed)}; "
                    f"received {given!r}"
                )
        names = [spec.name for spec in space.cells]
        chosen = {"normal": names[:1], "all": names}[cells]
        groups = aligned_groups(kinds, chosen)
        low = precision.of(cells_loss)

        def at(alpha):
            return cells_of(alpha, space, kinds)

        def both(w, alpha, batch, seed):
            return bilevel.both_gradients(
                low, w, at(alpha), batch, seed, precision.scale
            )

        def along(alpha, layers):
            return perturbations(KINDS[regularizer], layers, groups)

        def around(alpha, u):
            epsilon = bilevel.difference_step(u, epsilon_0)
            return *bilevel.perturb(at(alpha), u, epsilon), epsilon

        def weights_only(w, cells, batch, seed):
            g, _, _ = bilevel.weight_gradient(cells_loss, w, cells, batch, seed)
            return g

        def difference(up, down, epsilon):
            return [
                tf.math.divide_no_nan(p - n, 2 * epsilon)
                for p, n in zip(up, down, strict=True)
            ]

        def by_cells(cells, w, batch, seed):
            return cells_loss(w, cells, batch, seed)

        def product(w, alpha, batch, seed, u):
            return gradients.mixed_product(by_cells, at(alpha), w, batch, seed, u)

        def minus(g, derivative, strength):
            added = [-tf.cast(strength, d.dtype) * d for d in derivative]
            norm = tf.linalg.global_norm
            share = tf.math.divide_no_nan(norm(added), norm(g))
            return [t + a for t, a in zip(g, added, strict=True)], share

        sliced = functools.partial(
            in_turn, count=micro_batches, compile=compile, mean=mean
        )
        self.gradient = gradient
        self.layer_gradients = sliced(both)
        self.along = compile(along)
        self.around = compile(around)
        self._weights_only = sliced(weights_only)
        self._difference = compile(difference)
        self._product = sliced(product)
        self._minus = compile(minus)
        self._nothing = compile(tf.zeros_like)

    def derivative(self, w, alpha, batch, seed, u):
        """d/dw sum_l <d L_train / d p_l, u_l>, shaped like w."""
        if self.gradient == "exact":
            return self._product(w, alpha, batch, seed, u)
        *points, epsilon = self.around(alpha, u)
        ends = [self._weights_only(w, p, batch, seed) for p in points]
        return self._difference(*ends, epsilon)

    def __call__(self, w, alpha, batch, seed, strength: float):
        """(regularised gradient, L_train, its aux with two scalars more).

        aux["alignment"] is the mean pairwise cosine of the normal cells'
        layer gradients, [], whatever the regularizer; aux["share"] the norm
        of what the regulariser adds over that of grad_w L_train, []: above 1
        it decides where w goes.

        Args:
          w, alpha: flat lists of tensors.
          batch: for L_train.
          seed: int32 [2]; all passes see the same masks.
          strength: lambda; 0 spares the passes of the regulariser.
        """
        g, layers, value, aux = self.layer_gradients(w, alpha, batch, seed)
        cosine, u = self.along(alpha, layers)
        aux = {**aux, "alignment": cosine}
        if not strength:
            return g, value, {**aux, "share": self._nothing(cosine)}
        derivative = self.derivative(w, alpha, batch, seed, u)
        strength = tf.constant(strength, tf.float32)
        g, share = self._minus(g, derivative, strength)
        return g, value, {**aux, "share": share}
