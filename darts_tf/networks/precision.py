"""Types of a computation in mixed precision: 16-bit feature maps, 32-bit numbers.

A network computes in the precision of the images that it is given: a
convolution takes its kernel in the type of its input, and batch norm gives
back the type that it got. What is small and must be exact stays wide: batch
statistics, mixing weights, masks, the classifier.

Not by Keras's dtype policies. They belong to a layer from its making on,
while eq. 8 needs one network in two precisions (strategy/darts/bilevel.py); and
they would narrow every argument of every layer, mixing weights too, so that
the layers here are made with autocast=False.
"""

from __future__ import annotations

import tensorflow as tf

NARROW = (tf.bfloat16, tf.float16)


def wide(dtype) -> tf.DType:
    """Returns float32 for a type of 16 bits, any other type itself."""
    return tf.float32 if dtype in NARROW else dtype


def widened(x):
    """Casts a tensor to the `wide` type of its own type."""
    return tf.cast(x, wide(x.dtype))
