"""Private names of TensorFlow that the fast parts use, with public fallbacks.

TensorFlow may move them in any release. Then the public ways are taken, which
are slower, and a line in the log says so once.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

try:
    from tensorflow.python.eager import record
except ImportError:
    record = None
_record: Any = record

_REQUIRED = "record_operation", "should_record_backprop"


def available() -> bool:
    """Returns whether TensorFlow still has the private names; logs if not."""
    present = all(hasattr(_record, name) for name in _REQUIRED)
    if not present:
        _say_once()
    return present


def record_operation(
    name: str, outputs: Sequence, inputs: Sequence, gradient: Callable
) -> None:
    """Records an operation on the tapes that watch its inputs.

    The public way, tf.custom_gradient, sends inputs and outputs through
    operations of its own: a third of a supernet's graph.

    Only where `available`; else networks take their exact gradients by two
    reverse passes (`SharedFunctions.has_directional_derivatives` is False then).

    Args:
      name: the operation's name.
      outputs, inputs: tensors.
      gradient: gradients of the outputs -> those of the inputs, or None.
    """
    _record.record_operation(name, outputs, inputs, gradient)


def is_watched(tensors: Sequence) -> bool:
    """Returns whether a tape watches one of the tensors; True if it cannot be read."""
    if available():
        return _record.should_record_backprop(tensors)
    return True


@functools.cache
def _say_once() -> None:
    logging.getLogger(__name__).warning(
        "TensorFlow %s has moved private names that the fast networks use; "
        "public ones are taken, which are slower",
        tf.__version__,
    )
