"""Calls a model as a function of its weights.

As keras.Model.stateless_call, but the weights may be one flat vector, and the
states that the call leaves are one. Where the weights are flat, batch norm
leaves the statistics of its batch alone: whoever trains averages them
(networks/running_statistics.py).
"""

from __future__ import annotations

import contextvars
from typing import Any

import keras
import tensorflow as tf

from darts_tf.networks.compiled.flat_weights import SlicedWeights, piece_of

_present: contextvars.ContextVar[Any] = contextvars.ContextVar(
    "pass_over_a_row", default=None
)


def call(model, w, *inputs, **arguments):
    """Calls a model with other weights than its own.

    Args:
      model: a built keras.Model.
      w: a weight for each of its trainable variables: a list, or SlicedWeights.
      inputs: of the call.
      **arguments: of the call.

    Returns:
      (outputs, the states that the call leaves: one row [N], in the order of
      model.non_trainable_variables).
    """
    if isinstance(w, SlicedWeights):
        scope = FlatPass(w)
    else:
        mapping = zip(model.trainable_variables, w, strict=True)
        scope = keras.StatelessScope(list(mapping))
    token = _present.set(scope)
    try:
        with scope:
            outputs = model(*inputs, **arguments)
    finally:
        _present.reset(token)
    if isinstance(scope, FlatPass):
        return outputs, scope.states()
    states = [_left(scope, v) for v in model.non_trainable_variables]
    return outputs, tf.concat(states, 0)


def present() -> FlatPass | None:
    """Returns the pass that is going on, if its weights are flat."""
    scope = _present.get()
    return scope if isinstance(scope, FlatPass) else None


def take_over(variables: list, states) -> None:
    """Assigns a vector of states [N] to variables, or leaves it to the pass.

    The latter where they are a piece of the states that the pass returns.
    """
    around = present()
    if around is not None and around.takes(variables, states):
        return
    parts = tf.split(states, [v.shape[0] for v in variables])
    for variable, part in zip(variables, parts, strict=True):
        variable.assign(part)


def _left(scope: keras.StatelessScope, variable):
    """Returns the value of a state at the end of a pass."""
    left = scope.get_current_value(variable)
    return variable.value if left is None else left


class FlatPass(keras.StatelessScope):
    """A pass in which trainable variables read their slices of a vector."""

    def __init__(self, weights: SlicedWeights):
        super().__init__()
        self.weights, self._rows = weights, {}

    def get_current_value(self, variable):
        """Returns the value assigned in this pass, or the slice of the vector."""
        left = super().get_current_value(variable)
        return self.weights.of(variable) if left is None else left

    def takes(self, variables: list, row) -> bool:
        """Stores the states of a piece, which nobody reads before the end.

        Returns False, and stores nothing, if the variables are no piece.
        """
        piece = piece_of(self.weights.layout.state_places, variables)
        known = piece in self.weights.layout.state_pieces
        if known:
            self._rows[piece] = row
        return known

    def states(self):
        """Returns all states at the end of the pass, changed or not: [N]."""
        layout, rows = self.weights.layout, []
        for piece in layout.state_pieces:
            if piece in self._rows:
                rows.append(self._rows[piece])
            else:
                rows += [_left(self, layout.states[n]) for n in piece]
        return tf.concat(rows, 0)
