"""Lets sums of three and more tensors be added up in one order.

TensorFlow's AddN writes its sum into the memory of the first input that no other
kernel has still to read, and adds that input first: the order, and so the last bit,
depends on which kernels are done (tensorflow/core/kernels/aggregate_ops.cc).
`tf.config.experimental.enable_op_determinism` leaves it so. With two inputs both
orders give the same.

Gradients of a tensor with many readers are added so, by a private function of
TensorFlow; a release may move it, and then a line in the log says what that means.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

try:
    from tensorflow.python.ops import gen_math_ops
except ImportError:
    gen_math_ops = None
_sums: Any = gen_math_ops
_original: Any = getattr(_sums, "add_n", None)

_REWRITES = "arithmetic_optimization"
"""Grappler's option that joins sums of two into an AddN of many."""


def switch_on() -> None:
    """Lets functions that are traced from now on add two tensors at a time."""
    if _original is None:
        _say_once()
        return
    _sums.add_n = _add_in_order
    tf.config.optimizer.set_experimental_options({_REWRITES: False})


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Restores at its end what `switch_on` changes in between."""
    add_n, options = getattr(_sums, "add_n", None), tf.config.optimizer
    rewrites = options.get_experimental_options().get(_REWRITES)  # None: not set
    try:
        yield
    finally:
        if add_n is not None:
            _sums.add_n = add_n
        options.set_experimental_options({_REWRITES: rewrites})


def _add_in_order(inputs, name=None):
    """Adds tensors of one shape from the first to the last."""
    if len(inputs) < 3:
        return _original(inputs, name)
    *first, last = inputs
    return _original([functools.reduce(_add_two, first), last], name)


def _add_two(a, b):
    return _original([a, b])


@functools.cache
def _say_once() -> None:
    logging.getLogger(__name__).warning(
        "TensorFlow %s has moved the function that adds up gradients; runs with "
        "`deterministic` may differ in last bits; TF_NUM_INTEROP_THREADS=1 excludes it",
        tf.__version__,
    )
