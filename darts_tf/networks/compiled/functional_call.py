"""A model's call as a function of its weights.

As keras.Model.stateless_call, but the weights may be a row, and the states
that the call leaves are one. Where the weights are a row, batch norm leaves the
statistics of its batch alone: whoever trains averages them
(networks/running_statistics.py).
"""

from __future__ import annotations

import contextvars

import keras
import tensorflow as tf

from darts_tf.networks.compiled.flat_weights import SlicedWeights, piece_of

_present = contextvars.ContextVar("pass_over_a_row", default=None)


def call(model, w, *inputs, **arguments):
    """What a model gives with other weights than its own.

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
    """The pass that is going on, if its weights are a row."""
    scope = _present.get()
    return scope if isinstance(scope, FlatPass) else None


def take_over(variables: list, states) -> None:
    """Leaves states in a row [N] in their variables, or in the pass as it is.

    The latter where they are a piece of what the pass gives in the end.
    """
    around = present()
    if around is not None and around.kept(variables, states):
        return
    parts = tf.split(states, [v.shape[0] for v in variables])
    for variable, part in zip(variables, parts, strict=True):
        variable.assign(part)


def _left(scope: keras.StatelessScope, variable):
    """What a pass has left in a state."""
    left = scope.get_current_value(variable)
    return variable.value if left is None else left


class FlatPass(keras.StatelessScope):
    """A model's trainable variables are the parts of a row."""

    def __init__(self, weights: SlicedWeights):
        super().__init__()
        self.weights, self._rows = weights, {}

    def get_current_value(self, variable):
        """What was left in the variable, or its part of the row."""
        left = super().get_current_value(variable)
        return self.weights.of(variable) if left is None else left

    def kept(self, variables: list, row) -> bool:
        """Keeps the states of a piece, which nobody reads before the end.

        Returns:
          Whether the variables are one.
        """
        piece = piece_of(self.weights.layout.state_places, variables)
        known = piece in self.weights.layout.state_pieces
        if known:
            self._rows[piece] = row
        return known

    def states(self):
        """All that the pass leaves, or finds and does not change: [N]."""
        layout, rows = self.weights.layout, []
        for piece in layout.state_pieces:
            if piece in self._rows:
                rows.append(self._rows[piece])
            else:
                rows += [_left(self, layout.states[n]) for n in piece]
        return tf.concat(rows, 0)
