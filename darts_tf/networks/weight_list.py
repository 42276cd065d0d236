"""The weights of a network as a list of tensors, one for each variable.

The plain counterpart of networks/compiled/flat_weights.py.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


class WeightList:
    """The trainable weights of a built model, as losses take them.

    Args:
      model: a built keras.Model.
    """

    def __init__(self, model):
        self._variables = model.trainable_variables

    def values(self) -> list[tf.Tensor]:
        """The model's own present weights."""
        return [tf.convert_to_tensor(v.value) for v in self._variables]

    def unpack(self, w: list) -> list:
        """The weights as `Model.stateless_call` takes them."""
        return list(w)

    def loss(self, of_list: Callable) -> Callable:
        """loss(w, ...) from a loss of the list of weights."""
        return of_list
