"""The slope of traced layers along a direction of the weights.

The exact method asks for d/dalpha <grad_w L, u> (eq. 7): of the slope of L
along u, how it changes with alpha. <grad_w L, u> is linear in the number that
the reverse pass starts from, and its derivative by that number runs forward
through the network: every layer turns the directions of its inputs and
weights into that of its outputs. So TensorFlow makes of two reverse passes a
forward one, of whose parts the first reverse pass is none.

A traced function is differentiated as a whole: twice, it would compute the
derivatives by all of its arguments of the derivatives by all of them. Here it
says itself how directions go through it, by another traced function, and
TensorFlow differentiates both of them once, by alpha.

They are put on the tapes by what tf.custom_gradient puts them there with.
That itself sends what goes in and out through an operation of its own and asks
for the gradients of the former, too, as zeros: a third of a supernet's graph.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from darts_tf.networks.compiled import derivative_mode
from darts_tf.networks.compiled.private_tensorflow import record_operation


def with_directional_derivatives(
    call: Callable, jvp: Callable, weights, inputs, mixing
):
    """A traced call under `asked.set_directional_pass`.

    Args:
      call: (weights, inputs, mixing) -> (outputs, states).
      jvp: (weights, inputs, mixing, directions) -> those of the outputs;
        directions are of weights and inputs, mixing weights have none.
      weights, inputs, mixing: tensors, nested; inputs and outputs may be None
        in places.

    Returns:
      (outputs, states); the gradient in weights and inputs, which is asked
      for within that context, has the right derivative by what arrives, and
      no values. Outside of it the gradient is that in inputs and mixing
      weights.
    """
    given, mixing = [weights, inputs], list(mixing)
    moving, constant = tensors(given), [None] * len(tensors(weights))
    # On no other tape: TensorFlow would prepare second derivatives.
    still, p = tf.nest.map_structure(tf.stop_gradient, [moving, mixing])
    w, x = filled(given, still)
    with (
        derivative_mode.set_differentiated_once(),
        tf.GradientTape(watch_accessed_variables=False) as tape,
    ):
        tape.watch([tensors(x), p])
        outputs, states = call(w, x, p)
    y = tensors(outputs)

    def slope(*directions):
        return jvp(*given, mixing, filled(given, directions))

    def gradient(*arrived):
        if not derivative_mode.in_directional_pass():
            return [*constant, *tape.gradient(y, [*tensors(x), *p], arrived)]
        unknown = [t * _nan_placeholder(t.dtype) for t in still]
        record_operation("slope", unknown, arrived, slope)
        return [*unknown, *[None] * len(p)]

    record_operation("layer", y, [*moving, *mixing], gradient)
    return outputs, states


def jvp_of(call: Callable) -> Callable:
    """`jvp` of `with_directional_derivatives`, of an untraced `call`; to be traced itself.

    By the rule that is explained above: the gradient's derivative by what
    arrives.
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
            gradient = inner.gradient(y, moving, arrived, "zero")
        directions = [*tensors(along), *tensors(directions[1])]
        return outer.gradient(gradient, arrived, directions, "zero")

    return jvp


@functools.cache
def _nan_placeholder(dtype):
    """NaN, which a graph captures once."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(float("nan"), dtype)


def tensors(nested) -> list:
    """Those in a nested structure, without None."""
    return [t for t in tf.nest.flatten(nested) if t is not None]


def filled(nested, values):
    """The structure with other tensors in the place of its own."""
    left = iter(values)
    flat = [t if t is None else next(left) for t in tf.nest.flatten(nested)]
    return tf.nest.pack_sequence_as(nested, flat)
