"""The candidate image operations by name (DARTS sect. 3.1.1), but for pools.

The one place, with convolutions.py and pools.py, that knows padding and
stride. Every feature map is [B, H, W, C]; with stride 2 the result is [B,
ceil(H/2), ceil(W/2), C].

Operations with weights expect an input that went through ReLU already
(`activated` is True): edges that leave one node then share that ReLU.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import (
    Conv,
    DepthwiseConv,
    phases_read,
    strided,
)
from darts_tf.networks.layer import Layer
from darts_tf.networks.operation_registry import register_operation, registration
from darts_tf.networks.precision import wide
from darts_tf.networks.registered import Registered
from darts_tf.space import operation_names
from darts_tf.space.cell import IDENTITY

fold_in = tf.random.experimental.stateless_fold_in


class Block(Layer):
    """A layer made of layers.

    It builds them by the shape of its input, in the order in which it calls
    them: nothing is computed to build a network.
    """


def build_once(layer, shape) -> None:
    """Builds a layer, unless it is built already."""
    if not layer.built:
        layer.build(shape)


def build_in_turn(layers, shape) -> tuple:
    """Builds layers that follow each other; returns the shape behind the last."""
    for layer in layers:
        build_once(layer, shape)
        shape = layer.compute_output_shape(shape)
    return shape


class Chain(Block):
    """Layers in a row. The last is a BatchNorm; others have a ReLU behind."""

    activated = True

    def __init__(self, layers):
        super().__init__()
        self.layers = list(layers)

    def build(self, shape) -> None:
        """Builds its layers."""
        build_in_turn(self.layers, shape)

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def call(self, x, scale=None, training=False):
        """Computes the chain's result, times `scale` ([C]; None for 1)."""
        for layer in self.layers[:-1]:
            if isinstance(layer, BatchNorm):
                x = tf.nn.relu(layer(x, training=training))
            else:
                x = layer(x)
        return self.layers[-1](x, scale=scale, training=training)


def separable(size: int, channels: int, stride: int, norm) -> Chain:
    """Returns a sep_conv: depthwise, pointwise, BN, ReLU, depthwise, pointwise, BN."""
    return Chain(
        [
            DepthwiseConv(size, stride),
            Conv(channels),
            norm(),
            DepthwiseConv(size),
            Conv(channels),
            norm(),
        ]
    )


class Dilated(Chain):
    """A dil_conv: depthwise convolution with dilation 2, pointwise, BN.

    All of it can be computed in phases (convolutions.phases_read), which
    hold the same numbers; batch norm does not ask for their order.
    """

    def __init__(self, size: int, channels: int, stride: int, norm):
        convolution = DepthwiseConv(size, stride, 2)
        super().__init__([convolution, Conv(channels), norm()])

    def in_phases(self, phases, scale=None, training=False):
        """Computes `call` on what `phases_read` gives; the result is in phases too."""
        convolution, pointwise, norm = self.layers
        x = pointwise(convolution.in_phases(phases[0]))
        return norm(x, scale=scale, training=training)


def normal_conv(size: int, channels: int, stride: int, norm) -> Chain:
    """Returns a nor_conv of NAS-Bench-201: a plain convolution, BN.

    Departure: the benchmark's search network has a bias here, which the
    batch norm behind it takes out again.
    """
    return Chain([Conv(channels, (size, size), (stride, stride)), norm()])


def seven_by_one(channels: int, stride: int, norm) -> Chain:
    """Returns the conv_7x1_1x7 of AmoebaNet's cells: 1 x 7, 7 x 1, BN."""
    return Chain(
        [
            Conv(channels, (1, 7), (1, stride)),
            Conv(channels, (7, 1), (stride, 1)),
            norm(),
        ]
    )


def conv_norm(channels: int, norm) -> Chain:
    """Returns the 1 x 1 convolution and BN before a cell's inputs."""
    return Chain([Conv(channels), norm()])


class FactorizedReduce(Block):
    """Halves H and W: two strided 1 x 1 convolutions, one pixel apart.

    The second looks at the pixels (2i + 1, 2j + 1), so that together they
    see more than one of the four phases. Odd sizes are padded at the end.
    """

    activated = True

    def __init__(self, channels: int, norm):
        super().__init__()
        self.channels = channels
        self.even = Conv(channels // 2)
        self.odd = Conv(channels - channels // 2)
        self.norm = norm()

    def build(self, shape) -> None:
        """Builds its layers."""
        for layer in (self.even, self.odd):
            build_once(layer, shape)
        build_once(self.norm, self.compute_output_shape(shape))

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        return *strided(shape, 2)[:-1], self.channels

    def call(self, x, scale=None, training=False):
        """Computes [B, ceil(H/2), ceil(W/2), channels] from [B, H, W, C]."""
        return self.in_phases(phases_read(x, 2), scale, training)

    def in_phases(self, phases, scale=None, training=False):
        """Computes `call` on what `phases_read` gives."""
        even, odd = phases
        x = tf.concat([self.even(even), self.odd(odd)], axis=-1)
        return self.norm(x, scale=scale, training=training)


SKIPPING = (Dilated, FactorizedReduce)
"""Operations that read every other pixel, and can be computed on phases."""


def noise(x, stride: int, seed, key: int):
    """Draws standard normal noise [B, ceil(H/stride), ceil(W/stride), C].

    Nothing of x but its shape counts, so no gradient reaches it.

    Args:
      x: [B, H, W, C].
      stride: 1 or 2.
      seed: int32 [2], decides the noise; each replica draws its own. None
        (inference): one draw for all images and all times, so that what is
        measured depends neither on the time nor on the rest of a batch.
      key: tells the noise of different edges apart.
    """
    batch, size = tf.shape(x)[0], [-(-n // stride) for n in x.shape[1:3]]
    image = [*size, x.shape[3]]

    def draw(images, seed):
        shape, edge_seed = [images, *image], fold_in(seed, key)
        drawn = tf.random.stateless_normal(shape, edge_seed, dtype=wide(x.dtype))
        return tf.cast(drawn, x.dtype)

    if seed is None:
        with tf.init_scope():  # a constant: LiteRT and ONNX have no such draws
            one = draw(1, [0, 0]).numpy()
        return tf.broadcast_to(tf.constant(one), [batch, *image])
    replica = tf.distribute.get_replica_context()
    return draw(batch, fold_in(seed, replica.replica_id_in_sync_group))


def last_norm(operation) -> BatchNorm:
    """Returns the batch norm at the end of a built-in operation with weights."""
    if isinstance(operation, Chain):
        return operation.layers[-1]
    return operation.norm


SIZED = {
    f"{kind}_{size}x{size}": (operation, size)
    for kind, operation, sizes in (
        ("sep_conv", separable, (3, 5, 7)),
        ("dil_conv", Dilated, (3, 5, 7)),
        ("nor_conv", normal_conv, (1, 3)),
    )
    for size in sizes
}
"""(operation, size of its kernel) by name."""


@dataclasses.dataclass(frozen=True)
class Operation:
    """A candidate operation by name.

    Attributes:
      name: that spaces and genotypes carry.
      build: (channels, stride, norm) -> a new layer; see `build`.
      builtin: whether darts_tf itself has it.
    """

    name: str
    build: Callable[..., Layer]
    builtin: bool


def is_builtin(name: str) -> bool:
    """Returns whether darts_tf itself has the operation."""
    return operation_names.is_builtin(name)


def operation(name: str) -> Operation:
    """Returns a built-in or registered operation.

    Raises:
      InputError: it is neither; the message says how to register it.
    """
    builtin = is_builtin(name)
    if not builtin:
        registration(name)
    return Operation(name, functools.partial(build, name), builtin)


def build(name: str, channels: int, stride: int, norm):
    """Returns a new layer for an operation with weights, or a registered one.

    Args:
      name: an operation that is neither a pool nor a stride-1 identity.
      channels: C, of input and output.
      stride: 1 or 2.
      norm: called without arguments, returns a new BatchNorm.

    Raises:
      InputError: no such operation.
    """
    if name in SIZED:
        make, size = SIZED[name]
        return make(size, channels, stride, norm)
    if name == "conv_7x1_1x7":
        return seven_by_one(channels, stride, norm)
    if name == IDENTITY and stride == 2:
        return FactorizedReduce(channels, norm)
    if not is_builtin(name):
        return Registered(name, channels, stride, follows=norm().momentum > 0)
    raise InputError(
        f"operation {name!r} with stride {stride} has no layer; layers exist "
        f"for {', '.join(SIZED)}, conv_7x1_1x7, {IDENTITY} with stride 2 and "
        f"registered operations"
    )


__all__ = [
    "SIZED",
    "SKIPPING",
    "Block",
    "Chain",
    "Dilated",
    "FactorizedReduce",
    "Operation",
    "Registered",
    "build",
    "build_in_turn",
    "build_once",
    "conv_norm",
    "is_builtin",
    "last_norm",
    "noise",
    "normal_conv",
    "operation",
    "register_operation",
    "separable",
    "seven_by_one",
]
