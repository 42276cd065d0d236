"""Variables of layers, quickly made: a supernet has some 3,000."""

from __future__ import annotations

import keras
import tensorflow as tf

SCOPE = "weights/"
"""Ends with a slash: whatever scopes are open around it, it is this one."""


def add_weight(layer: keras.layers.Layer, *args, **kwargs) -> keras.Variable:
    """As layer.add_weight; for TensorFlow its name is the same in all layers.

    TensorFlow keeps a kernel for each name that a variable was created under,
    and a new one takes longer than all the rest of a variable. Keras's path
    (`variable.path`) still tells whose it is.
    """
    with tf.name_scope(SCOPE):
        return layer.add_weight(*args, **kwargs)
