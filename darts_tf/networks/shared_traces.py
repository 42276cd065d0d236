"""Equal layers are traced once.

A supernet of eight cells has 112 edges of five shapes. The operations of an
edge are a function of their weights here, which all edges of one shape call:
Python builds a few small graphs and many calls in the place of one large
graph, and TensorFlow instantiates each of the small ones once.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

import keras
import tensorflow as tf

_constant = contextvars.ContextVar("constant_weights", default=False)


@contextlib.contextmanager
def constant_weights() -> Iterator[None]:
    """For passes and gradients that do not differentiate the weights."""
    token = _constant.set(True)
    try:
        yield
    finally:
        _constant.reset(token)


def weights_are_constant() -> bool:
    """Whether that is so here."""
    return _constant.get()


class SharedTraces:
    """Calls layers through compiled functions that equal layers share.

    The calls are not dissolved into the graph around them: that would take
    longer than the tracing that they save. So nothing can be pruned from
    outside, and under `constant_weights` (as for the gradient of alpha)
    another function is called, one whose gradient leaves the weights out.

    Args:
      inline: dissolve the calls after all. For second derivatives, of which
        a call would compute more than is asked for.
    """

    def __init__(self, inline: bool = False):
        self._functions, self._inline = {}, inline

    def __call__(self, key, layer, *inputs):
        """layer(*inputs, training=True), through the trace of its key.

        Eagerly it is the plain call.

        Args:
          key: equal for layers that differ in nothing but the values of
            their variables.
          layer: a layer.
          inputs: tensors, or lists of them.
        """
        if tf.executing_eagerly() or not layer.variables:
            return layer(*inputs, training=True)
        weights = [tf.convert_to_tensor(v) for v in layer.trainable_variables]
        constant = weights_are_constant()
        key = (*key, constant)
        if key not in self._functions:
            self._functions[key] = tf.function(
                _Pure(layer, constant),
                autograph=False,
                experimental_attributes={"_noinline": not self._inline},
            )
        outputs, states = self._functions[key](weights, *inputs)
        moved = layer.non_trainable_variables
        for variable, state in zip(moved, states, strict=True):
            variable.assign(state)
        return outputs


class _Pure:
    """A layer as a function of its weights, with the states it leaves."""

    def __init__(self, layer, constant: bool):
        self._layer, self._constant = layer, constant
        self._weights = layer.trainable_variables
        self._states = layer.non_trainable_variables

    def __call__(self, weights, *inputs):
        """(outputs, states)."""
        if self._constant:
            weights = [tf.stop_gradient(w) for w in weights]
        mapping = list(zip(self._weights, weights, strict=True))
        with keras.StatelessScope(mapping) as scope:
            outputs = self._layer(*inputs, training=True)
        return outputs, [scope.get_current_value(v) for v in self._states]
