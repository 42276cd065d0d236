"""Shares one tf.function between layers of identical configuration.

A supernet of eight cells has 112 edges of five shapes. The operations of an
edge are a function of their weights here, which all edges of one shape call:
Python builds a few small graphs and many calls in the place of one large
graph, and TensorFlow instantiates each of the small ones once. Flat weights
(networks/compiled/flat_weights.py) go in, and states come out, as one tensor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import keras
import tensorflow as tf

from darts_tf.networks.compiled import (
    derivative_mode,
    directional_derivatives,
    functional_call,
    private_tensorflow,
)
from darts_tf.networks.compiled.flat_weights import FlatWeights, SlicedWeights
from darts_tf.networks.compiled.private_tensorflow import is_watched


class SharedFunctions:
    """Calls layers through compiled functions that equal layers share.

    The calls are not inlined into the graph around them: that would take
    longer than the tracing that they save. So nothing can be pruned from
    outside, and under `set_constant_in_weights` (as for the gradient of alpha)
    another function is called, one whose gradient leaves the weights out,
    where there are any, and the inputs that do not depend on alpha.

    Args:
      inline: inline the calls after all. For second derivatives other than
        directional ones (networks/compiled/directional_derivatives.py), of
        which a call would compute more than is needed.
      xla: XLA compiles the functions of training, and none is inlined. A
        supernet as one piece would take it minutes.

    Attributes:
      layers: the layers to be called; whoever makes one adds it.
      has_directional_derivatives: whether the functions have JVPs
        (networks/compiled/directional_derivatives.py). XLA has no second
        derivative of a slice.
    """

    def __init__(self, inline: bool = False, xla: bool = False):
        self._functions, self._xla = {}, xla
        self._lock = threading.Lock()
        self._inline = inline and not xla
        self.has_directional_derivatives = (
            not (inline or xla) and private_tensorflow.available()
        )
        self.layers = []

    def __call__(self, key, layer, *inputs, mixing: tuple = (), training: bool = True):
        """Computes layer(*inputs, *mixing, training=training) by its key's function.

        Eagerly it is the plain call.

        Args:
          key: equal for layers that differ in nothing but the values of
            their variables.
          layer: a layer.
          inputs: tensors, lists of them or None.
          mixing: further arguments, which do not depend on weights.
          training: False for inference, with its states as they are.

        Returns:
          The layer's outputs; in training its states are left in its
          variables, or in the pass that is going on
          (networks/compiled/functional_call.py).
        """
        if tf.executing_eagerly() or not layer.variables:
            return layer(*inputs, *mixing, training=training)
        if not training:
            return self._inferred((*key, "inference"), layer, inputs, mixing)
        around, variables = functional_call.present(), layer.trainable_variables
        weights = around and around.weights.piece(variables)
        if weights is None:
            weights = [tf.convert_to_tensor(v) for v in variables]
            _check_reads_no_state(layer)
        outputs, states = self._trained(key, layer, weights, inputs, mixing)
        functional_call.take_over(layer.non_trainable_variables, states)
        return outputs

    def _trained(self, key, layer, weights, inputs, mixing):
        directional = derivative_mode.in_directional_pass()
        constant = directional or derivative_mode.is_constant_in_weights()
        constant = bool(layer.trainable_variables) and constant
        moving = [True] * len(directional_derivatives.tensors(inputs))
        if constant and not directional:
            moving = _moving(inputs, mixing)
        key = (*key, isinstance(weights, list))
        pure = _Pure(layer, constant, moving)
        call = self._shared((*key, constant, *moving), pure, self._xla)
        if not directional:
            return call(weights, inputs, mixing)
        jvp = directional_derivatives.jvp_of(_Pure(layer, False, moving))
        jvp = self._shared((*key, "jvp"), jvp, self._xla)
        return directional_derivatives.with_directional_derivatives(
            call, jvp, weights, inputs, mixing
        )

    def _inferred(self, key, layer, inputs, mixing):
        def pure(values, inputs, mixing):
            mapping = zip(layer.variables, values, strict=True)
            with keras.StatelessScope(list(mapping)):
                return layer(*inputs, *mixing, training=False)

        values = [tf.convert_to_tensor(v) for v in layer.variables]
        return self._shared(key, pure)(values, inputs, mixing)

    def _shared(self, key, function: Callable, xla: bool = False):
        """Returns `function` compiled, or the compiled one of this key.

        The key gets the flags of the pass around, which layers read while
        they are traced. Threads trace at once (strategy/darts/execution.py).
        """
        key = *key, derivative_mode.flags()
        with self._lock:
            if key not in self._functions:
                self._functions[key] = tf.function(
                    function,
                    autograph=False,
                    jit_compile=xla or None,
                    experimental_attributes={"_noinline": not self._inline},
                )
            return self._functions[key]


def _check_reads_no_state(layer) -> None:
    """Refuses batch norms that read their running statistics in training.

    A shared function gets the weights of the layer that calls it, but states are read
    from the layer that was traced: another layer's, if there is any momentum. (In a
    pass over flat weights batch norm reads none.)
    """
    momenta = {getattr(part, "momentum", 0) for part in layer._flatten_layers()}
    if any(momenta):
        raise ValueError(
            f"layer {layer.name} is to share a function and has batch norms of "
            f"momentum {max(momenta)}, which read their own statistics; build them "
            "with momentum=0"
        )


def _moving(inputs, mixing) -> list[bool]:
    """Returns for each input whether a tape watches it; True if none watches any.

    The mixing weights are watched and an input is not where a supernet's
    first cells read their images for the gradient of alpha.
    """
    flat = directional_derivatives.tensors(inputs)
    if not is_watched([*flat, *mixing]):
        return [True] * len(flat)
    return [is_watched([tensor]) for tensor in flat]


class _Pure:
    """A layer as a pure function of its weights that returns its states, too.

    Args:
      layer: the layer.
      constant: whether the weights get no gradient.
      moving: of each input, whether it gets one.
    """

    def __init__(self, layer, constant: bool, moving: list[bool]):
        self._layer, self._constant, self._moving = layer, constant, moving
        self._layout = FlatWeights(layer)

    def __call__(self, weights, inputs, mixing):
        """Returns (outputs, states [n]); weights are flat or a list."""
        if self._constant:
            weights = tf.nest.map_structure(tf.stop_gradient, weights)
        inputs = directional_derivatives.replace_tensors(
            inputs,
            [
                tensor if moves else tf.stop_gradient(tensor)
                for tensor, moves in zip(
                    directional_derivatives.tensors(inputs), self._moving, strict=True
                )
            ],
        )
        if not isinstance(weights, list):
            weights = SlicedWeights(self._layout, weights)
        return functional_call.call(
            self._layer, weights, *inputs, *mixing, training=True
        )
