"""Measures the alignment of a supernet's layer gradients.

The layer gradients g_l = dL/dp_l are the gradients of a loss with respect to
the mixing weights p_l [edges, candidates] of each cell of one kind, a tensor
for each cell. Movahedi et al. 2023 (Lambda-DARTS): where they disagree, the
cells near the output decide, and the search ends in skip connections.
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.errors import InputError


def mean_pairwise_cosine(gradients):
    """Computes the layer alignment: mean over pairs l < m of cos(g_l, g_m), [].

    A pair with a zero gradient counts as 0.

    Args:
      gradients: a list of at least two tensors of one shape.

    Raises:
      InputError: fewer than two.
    """
    g = _rows(gradients)
    square = tf.reduce_sum(g * g, -1, keepdims=True)
    above = square > 0  # guarded before the root: no NaN in derivatives
    norm = tf.sqrt(tf.where(above, square, tf.ones_like(square)))
    unit = tf.where(above, g / norm, tf.zeros_like(g))
    return _mean_over_pairs(tf.matmul(unit, unit, transpose_b=True))


def mean_pairwise_sign(gradients):
    """Computes the mean over pairs l < m of <g_l, g_m> / <|g_l|, |g_m|>, [].

    1 where no two gradients differ in a sign. A pair whose denominator is
    zero counts as 0. Arguments and errors as of `mean_pairwise_cosine`.
    """
    g = _rows(gradients)
    size = tf.abs(g)
    ratio = tf.math.divide_no_nan(
        tf.matmul(g, g, transpose_b=True),
        tf.matmul(size, size, transpose_b=True),
    )
    return _mean_over_pairs(ratio)


def _rows(gradients):
    """Stacks the gradients as rows [layers, edges * candidates]."""
    if len(gradients) < 2:
        raise InputError(
            f"an alignment needs the gradients of at least two cells; "
            f"received {len(gradients)}"
        )
    return tf.stack([tf.reshape(g, [-1]) for g in gradients])


def _mean_over_pairs(values):
    """Computes the mean of a symmetric [n, n] off its diagonal."""
    n = values.shape[0]
    off = tf.linalg.set_diag(values, tf.zeros([n], values.dtype))
    return tf.reduce_sum(off) / (n * (n - 1))
