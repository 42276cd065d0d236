"""The derivatives that a bilevel step is made of, each of one loss.

    loss(w, alpha, batch, seed) -> (loss, aux)

with w and alpha flat lists of tensors. `scale` multiplies what is computed in
16 bits and is taken out again (descent/precision.py).
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.descent.precision import scaled_gradient, unscaled
from darts_tf.networks.compiled.derivative_mode import (
    constant_weights,
    differentiated_once,
    differentiated_twice,
    slope_along_weights,
)


def weight_gradient(loss, w, alpha, batch, seed, scale=1.0):
    """(grad_w L, L, aux)."""
    return _once(loss, w, alpha, batch, seed, w, scale)


def alpha_gradient(loss, w, alpha, batch, seed, scale=1.0):
    """(grad_alpha L, L, aux)."""
    with constant_weights():
        constant = [tf.stop_gradient(t) for t in w]
        return _once(loss, constant, alpha, batch, seed, alpha, scale)


def both_gradients(loss, w, alpha, batch, seed, scale=1.0):
    """(grad_w L, grad_alpha L, L, aux)."""
    by, value, aux = _once(loss, w, alpha, batch, seed, (w, alpha), scale)
    return *by, value, aux


def _once(loss, w, alpha, batch, seed, sources, scale):
    """(gradient in the sources, L, aux)."""
    with differentiated_once():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            value, aux = loss(w, alpha, batch, seed)
        return _gradient(tape, value, sources, scale), value, aux


def mixed_product(loss, w, alpha, batch, seed, u, scale=1.0):
    """d/dalpha <grad_w L(w, alpha), u>, u held constant: exact.

    It is linear in u. With a scale, u enters at length 1, since it is very
    short for a number of 16 bits (the learning rate is in it).
    """
    with (
        differentiated_twice(),
        tf.GradientTape(watch_accessed_variables=False) as outer,
    ):
        outer.watch(alpha)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(w)
            value, _ = loss(w, alpha, batch, seed)
        g = scaled_gradient(inner, value, w, scale)
    length = None if scale == 1 else tf.linalg.global_norm(u)
    if length is not None:
        u = [tf.math.divide_no_nan(t, length) for t in u]
    product = outer.gradient(g, alpha, output_gradients=u, unconnected_gradients="zero")
    if length is None:
        return product
    return [length * p for p in unscaled(product, scale)]


def slope_gradient(loss, w, alpha, batch, seed, u, scale=1.0):
    """`mixed_product` as the gradient in alpha of the slope of L along u.

    One reverse pass over two forward ones in the place of two reverse passes
    over one: for networks whose layers know their slopes
    (networks/compiled/directional_derivatives.py). A scale multiplies the slope.
    """
    length = None if scale == 1 else tf.linalg.global_norm(u)
    if length is not None:
        u = [tf.math.divide_no_nan(t, length) for t in u]
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(alpha)
        slope = _slope(loss, w, alpha, batch, seed, u)
    product = _gradient(outer, slope, alpha, scale)
    return product if length is None else [length * p for p in product]


PRODUCTS = {False: mixed_product, True: slope_gradient}
"""By whether a network's layers know their slopes."""


def _slope(loss, w, alpha, batch, seed, u):
    """<grad_w L, u>, as the derivative of one times that by one."""
    one = tf.ones([], w[0].dtype)
    with slope_along_weights():
        with tf.GradientTape(watch_accessed_variables=False) as middle:
            middle.watch(one)
            with tf.GradientTape(watch_accessed_variables=False) as inner:
                inner.watch(w)
                value, _ = loss(w, alpha, batch, seed)
            g = inner.gradient(value, w, one, "zero")
        return middle.gradient(g, one, u)


def _gradient(tape, value, sources, scale):
    return unscaled(scaled_gradient(tape, value, sources, scale), scale)
