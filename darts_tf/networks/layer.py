"""Base layer with cheap construction: plain attributes bypass Keras's tracking.

A supernet has some 3,000 of them, and as many variables; to make them is a
quarter of the time to the first step.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from darts_tf.networks import implementation

SCOPE = "weights/"
"""The name scope of all variables: a slash at its end makes it absolute."""
PLAIN = (type(None), bool, int, str)
"""The types of attributes that hold no layer and no variable."""


class Layer(keras.layers.Layer):
    """A Keras layer whose inputs keep their types (networks/precision.py).

    Keras and TensorFlow look through each attribute that is set for what they
    have to keep track of. Here they do not see plain values; so no attribute
    may be a layer first and a plain value later.

    Attributes:
      plain: True for a layer that takes nothing from networks/compiled.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.plain = implementation.is_plain()

    def __setattr__(self, name: str, value) -> None:
        if isinstance(value, PLAIN):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def add_weight(self, *args, **kwargs) -> keras.Variable:
        """Creates a variable whose name, for TensorFlow, all layers share.

        TensorFlow keeps a kernel for each name that a variable was created
        under, and a new one takes longer than all the rest of a variable.
        Keras's path (`variable.path`) still tells whose it is.
        """
        with tf.name_scope(SCOPE):
            return super().add_weight(*args, **kwargs)
