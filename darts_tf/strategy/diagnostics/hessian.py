"""Computes the curvature of a loss in alpha (Zela et al. 2020, arXiv 1909.09656).

DARTS finds architectures that generalise badly where the dominant eigenvalue
of the Hessian of L_val with respect to alpha is large.

Departures: the authors' code builds the whole Hessian and adds alpha's
weight decay to its diagonal; here the Hessian is that of the loss alone and
is only ever multiplied with vectors, exactly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.strategy.darts.primitives import derivative

TOLERANCE, ITERATIONS = 1e-3, 100
ZERO = tf.UnconnectedGradients.ZERO


@derivative
def hessian_product(loss, w, alpha, batch, seed, v):
    """Multiplies the Hessian of L(w, alpha) in alpha by v, exactly, by nested tapes.

    Args:
      loss: loss(w, alpha, batch, seed) -> (loss, aux).
      w, alpha, batch, seed: where; all of alpha is one vector.
      v: what is multiplied, a list of the shapes of alpha.

    Returns:
      A list of the shapes of alpha.
    """
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(alpha)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(alpha)
            value, _ = loss(w, alpha, batch, seed)
        g = inner.gradient(value, alpha, unconnected_gradients=ZERO)
    return outer.gradient(g, alpha, output_gradients=v, unconnected_gradients=ZERO)


@dataclasses.dataclass(frozen=True)
class Eigenvalue:
    """The result of a power iteration.

    Attributes:
      value: the eigenvalue, with its sign.
      residual: |A v - value v| / |value| of the last unit vector v: for a
        symmetric A some eigenvalue lies as near as that, relatively.
      products: how many products with A it took.
    """

    value: float
    residual: float
    products: int


def dominant_eigenvalue(
    product: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    tolerance: float = TOLERANCE,
    iterations: int = ITERATIONS,
) -> Eigenvalue:
    """Computes the eigenvalue largest in magnitude of a symmetric matrix A.

    Power iteration; the value is Rayleigh's quotient v^T A v.

    Args:
      product: v [N] -> A v [N].
      start: [N], not zero.
      tolerance: it ends where the value changes by less, relatively.
      iterations: the most products it takes, at least 1.
    """
    v = start / np.linalg.norm(start)
    value, residual, count = 0.0, 0.0, 0
    for count in range(1, iterations + 1):
        image = product(v)
        length = np.linalg.norm(image)
        if length == 0:  # A v = 0: nothing to follow
            return Eigenvalue(0.0, 0.0, count)
        before, value = value, float(v @ image)
        residual = float(np.linalg.norm(image - value * v))
        if count > 1 and abs(value - before) <= tolerance * abs(value):
            break
        v = image / length
    size = abs(value)
    return Eigenvalue(value, residual / size if size else np.inf, count)
