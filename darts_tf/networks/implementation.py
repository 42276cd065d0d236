"""The layers' gateway to networks/compiled, and the choice between fast and plain.

Layers, losses and trainings take the fast parts from here and never import
networks/compiled themselves: a reader of a layer meets one name for each trick,
and what has lost its gain can be taken out in one place. It stands in networks
because neither networks nor estimation may import strategy, whose own gateway
is strategy/darts/execution.py. The mixed edges, which are made of layers and so
cannot be imported before them, come in through networks/supernet_edges.py.

Fast is the default. A layer that is made within `plain`, as those of a network
with `compiled=False` are, computes by TensorFlow's public operations alone.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

from darts_tf.networks.compiled import depthwise_gradients
from darts_tf.networks.compiled.batch_norm_gradients import normalised
from darts_tf.networks.compiled.derivative_mode import (
    in_directional_pass,
    is_constant_in_weights,
    is_differentiated_once,
    set_differentiated_once,
)
from darts_tf.networks.compiled.flat_weights import FlatWeights, arrays_of, row_of
from darts_tf.networks.compiled.functional_call import (
    call as functional_call,
)
from darts_tf.networks.compiled.functional_call import (
    present as flat_pass,
)
from darts_tf.networks.compiled.recomputation import call_cell

__all__ = [
    "FlatWeights",
    "arrays_of",
    "call_cell",
    "depthwise",
    "exported",
    "flat_pass",
    "functional_call",
    "in_directional_pass",
    "is_constant_in_weights",
    "is_differentiated_once",
    "is_exported",
    "is_plain",
    "normalised",
    "plain",
    "row_of",
    "set_differentiated_once",
]

_plain = contextvars.ContextVar("plain", default=False)
_exported = contextvars.ContextVar("exported", default=False)


@contextlib.contextmanager
def plain(wanted: bool = True) -> Iterator[None]:
    """Makes layers plain: those built within it for good, others while it is on.

    Graphs to be saved need the latter: gradients of ours cannot be saved in a
    SavedModel, and loading one that had them says so.

    Args:
      wanted: False changes nothing.
    """
    token = _plain.set(wanted or _plain.get())
    try:
        yield
    finally:
        _plain.reset(token)


@contextlib.contextmanager
def exported() -> Iterator[None]:
    """Makes layers plain for a graph that is saved or converted, and never trained."""
    token = _exported.set(True)
    try:
        with plain():
            yield
    finally:
        _exported.reset(token)


def is_exported() -> bool:
    """Returns whether layers that are called here are for a graph of `exported`."""
    return _exported.get()


def is_plain() -> bool:
    """Returns whether layers that are built or called here are plain."""
    return _plain.get()


def depthwise(x, kernel, stride: int, padding: str, plain: bool = False):
    """Convolves [B, H, W, C] with [k, k, C, 1], each channel for itself.

    Args:
      x: the feature maps.
      kernel: k is an odd number.
      stride: 1 or 2.
      padding: "SAME" (with stride 1) or "VALID".
      plain: True for TensorFlow's own gradients, of all orders.
    """
    if not plain and not is_plain():
        return depthwise_gradients.depthwise(x, kernel, stride, padding)
    strides = [1, stride, stride, 1]
    return tf.raw_ops.DepthwiseConv2dNative(
        input=x, filter=kernel, strides=strides, padding=padding
    )
