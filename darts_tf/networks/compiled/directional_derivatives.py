"""Forward-over-reverse directional derivatives <grad_w L, u> of traced layers.

The exact method needs d/dalpha <grad_w L, u> (eq. 7), the derivative by alpha
of L's directional derivative along u. <grad_w L, u> is linear in the number
that the reverse pass starts from, and its derivative by that number runs
forward through the network: every layer turns the directions of its inputs and
weights into those of its outputs. So two reverse passes become a forward one,
which needs nothing of the first reverse pass.

A traced function is differentiated as a whole: twice, it would compute the
derivatives by all of its arguments of the derivatives by all of them. Here it
has a Jacobian-vector product (JVP), another traced function, and TensorFlow
differentiates both of them once, by alpha.

They are recorded on the tapes by the function that tf.custom_gradient records
with. tf.custom_gradient itself sends inputs and outputs through an operation of
its own and computes the inputs' gradients, too, as zeros: a third of a
supernet's graph.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from darts_tf.networks.compiled import derivative_mode
from darts_tf.networks.compiled.private_tensorflow import record_operation

ZERO = tf.UnconnectedGradients.ZERO


def with_directional_derivatives(
    call: Callable, jvp: Callable, weights, inputs, mixing
):
    """Calls a traced function so that directions pass through it by its JVP.

    Args:
      call: (weights, inputs, mixing) -> (outputs, states).
      jvp: (weights, inputs, mixing, directions) -> directions of the outputs;
        directions are of weights and inputs, mixing weights have none.
      weights, inputs, mixing: tensors, nested; inputs and outputs may be None
        in places.

    Returns:
      (outputs, states). Within `set_directional_pass` the gradient by weights
      and inputs has the right derivative by the outputs' gradient, and NaN for
      its values. Outside of it the gradient is that by inputs and mixing
      weights.
    """
    arguments, mixing = [weights, inputs], list(mixing)
    moving, constant = tensors(arguments), [None] * len(tensors(weights))
    # On no other tape: TensorFlow would prepare second derivatives.
    still, p = tf.nest.map_structure(tf.stop_gradient, [moving, mixing])
    w, x = replace_tensors(arguments, still)
    with (
        derivative_mode.set_differentiated_once(),
        tf.GradientTape(watch_accessed_variables=False) as tape,
    ):
        tape.watch([tensors(x), p])
        outputs, states = call(w, x, p)
    y = tensors(outputs)

    def directional(*directions):
        return jvp(*arguments, mixing, replace_tensors(arguments, directions))

    def gradient(*arrived):
        if not derivative_mode.in_directional_pass():
            return [*constant, *tape.gradient(y, [*tensors(x), *p], list(arrived))]
        unknown = [t * _nan_placeholder(t.dtype) for t in still]
        record_operation("directional", unknown, arrived, directional)
        return [*unknown, *[None] * len(p)]

    record_operation("layer", y, [*moving, *mixing], gradient)
    return outputs, states


def jvp_of(call: Callable) -> Callable:
    """Returns the JVP of an untraced `call`; it is to be traced itself.

    It is the derivative of the gradient by the gradient that it starts from.
    """

    def jvp(weights, inputs, mixing, directions):
        weights, along = tf.nest.map_structure(
            tf.stop_gradient, [weights, directions[0]]
        )
        moving = [*tensors(weights), *tensors(inputs)]
        with (
            derivative_mode.set_directional_pass(),
            derivative_mode.set_constant_in_weights(),
            tf.GradientTape(watch_accessed_variables=False) as outer,
        ):
            with tf.GradientTape(watch_accessed_variables=False) as inner:
                inner.watch(moving)
                outputs, _ = call(weights, inputs, mixing)
            y = tensors(outputs)
            arrived = [tf.zeros_like(t) for t in y]
            outer.watch(arrived)
            gradient: Any = inner.gradient(y, moving, arrived, ZERO)
        directions = [*tensors(along), *tensors(directions[1])]
        return outer.gradient(gradient, arrived, directions, ZERO)

    return jvp


@functools.cache
def _nan_placeholder(dtype):
    """Returns NaN, which a graph captures once."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(float("nan"), dtype)


def tensors(nested) -> list:
    """Returns the tensors in a nested structure, without None."""
    return [t for t in tf.nest.flatten(nested) if t is not None]


def replace_tensors(nested, values):
    """Returns the structure with other tensors in the place of its own."""
    left = iter(values)
    flat = [t if t is None else next(left) for t in tf.nest.flatten(nested)]
    return tf.nest.pack_sequence_as(nested, flat)
