"""Recomputes a cell's activations in the backward pass.

A cell keeps its inputs and its output only; all between them is computed
once more when the gradient of the output has arrived (Chen et al.
2016, arXiv 1604.06174). The memory of a pass is then that of one cell and of
all cells' outputs, for the time of another forward pass.

Not by tf.recompute_grad: it sees the gradients of arguments and of
tf.Variables only, while the weights of a `stateless_call` are tensors, and it
refuses second derivatives.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from darts_tf.networks.compiled import functional_call
from darts_tf.networks.compiled.derivative_mode import (
    is_constant_in_weights,
    is_differentiated_twice,
)


def call_cell(cell, inputs, again: bool, training=False, **arguments):
    """Calls a cell, in training perhaps without keeping its activations.

    Args:
      cell: a built networks.cell.Cell.
      inputs: a list of [B, H, W, C].
      again: True to compute its activations again, in training.
      training: whether batch norm uses (and follows) the batch.
      **arguments: for the cell's edges. With `again` the mixing weights
        (`weights`, a list with a row [candidates] for each edge) get a
        gradient and others none.
    """
    if again and training:
        return _call_again(cell, inputs, **arguments)
    return cell(inputs, training=training, **arguments)


def _call_again(cell, inputs, weights, **others):
    """Calls the cell; its batch norms get the batch's statistics, as in a call."""
    w = [tf.convert_to_tensor(v.value) for v in cell.trainable_variables]
    first, second = len(inputs), len(inputs) + len(weights)
    differentiated = [] if is_constant_in_weights() else w
    left = []

    def function(*values):
        output, statistics = functional_call.call(
            cell,
            list(values[second:]) or w,
            list(values[:first]),
            weights=list(values[first:second]),
            training=True,
            **others,
        )
        left.append(statistics)
        return [output]

    levels = 2 if is_differentiated_twice() else 1
    call = recomputed(function, first, levels)
    (output,) = call(*inputs, *weights, *differentiated)
    functional_call.take_over(cell.non_trainable_variables, left[0])
    return output


def recomputed(function: Callable, large: int, levels: int = 1) -> Callable:
    """Returns a function of the same values that keeps its arguments only.

    Args:
      function: tensors -> a list of tensors, of the arguments alone; what
        else it uses gets no gradient.
      large: so many arguments, the first ones, are feature maps: what is
        computed from the others alone may be there at any time.
      levels: how often its gradient is itself computed again when it is
        differentiated. Beyond that, derivatives keep what they need.
    """

    @tf.custom_gradient
    def call(*values):
        def backward(*gradients):
            def pulled(*arguments):
                count = len(values)
                return _pull_back(function, arguments[:count], arguments[count:])

            if levels > 1:
                again = recomputed(pulled, large, levels - 1)
            else:
                again = pulled
            awaited = _after(values[:large], gradients[:large])
            return again(*awaited, *values[large:], *gradients)

        return function(*values), backward

    return call


def _pull_back(function: Callable, values, gradients) -> list:
    """Computes the gradients of <function(values), gradients> by the values."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        results = function(*values)
    return tape.gradient(
        results,
        list(values),
        output_gradients=list(gradients),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )


def _after(values, awaited) -> list:
    """Returns the values, but not before all that is awaited is computed.

    Nothing else would keep a graph from computing all cells again at once,
    before the backward pass begins. By an operation and not a control
    dependency, which XLA does not know; it cannot tell that 0 is added.
    """
    if tf.executing_eagerly():  # one tensor may be two of them, as behind a stem
        return [tf.identity(value) for value in values]
    some = tf.add_n([tf.reshape(x, [-1])[0] for x in awaited])
    zero = tf.where(tf.equal(some, some), 0.0, float("nan"))
    return [value + tf.cast(zero, value.dtype) for value in values]
