"""The layers before the first cell of a network, and after the last."""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import Conv, uniform
from darts_tf.networks.precision import widened

NARROW_CHANNELS, WIDE_CHANNELS = 128, 768
"""Channels of the auxiliary head's two convolutions."""


def check_ends(channels: int, classes: int) -> None:
    """Refuses numbers that make no stem or no classifier.

    Raises:
      InputError: fewer than one channel, or than two classes.
    """
    if channels < 1:
        raise InputError(f"channels must be at least 1; received {channels}")
    if classes < 2:
        raise InputError(f"classes must be at least 2; received {classes}")


def as_floats(images):
    """Returns images of whole numbers as float32, others as they are."""
    if images.dtype.is_floating:
        return images
    return tf.cast(images, tf.float32)


def cifar_stem(
    channels: int, norm: Callable[[], BatchNorm] = functools.partial(BatchNorm, True)
):
    """Returns a 3 x 3 convolution and a batch norm that learns scale and shift."""
    return operations.Chain([Conv(channels, (3, 3)), norm()])


def strided_stem(channels: int):
    """Returns a 3 x 3 convolution with stride 2 and a batch norm."""
    return operations.Chain([Conv(channels, (3, 3), (2, 2)), BatchNorm(True)])


class Classifier(keras.layers.Dense):
    """A linear layer with the papers' initialisation, uniform in +-1/sqrt(fan in)."""

    def build(self, input_shape) -> None:
        """Creates kernel [in, classes] and bias [classes]."""
        self.kernel_initializer = uniform(input_shape[-1])
        self.bias_initializer = uniform(input_shape[-1])
        super().build(input_shape)


class AuxiliaryHead(operations.Block):
    """The second classifier at 2/3 of the depth (Szegedy et al. 2015).

    Average pooling to 2 x 2 (for CIFAR's 8 x 8: 5 x 5 with stride 3, for
    ImageNet's 7 x 7: 5 x 5 with stride 2), 1 x 1 to 128, 2 x 2 to 768.

    Args:
      classes: number of classes.
      last_norm: the ImageNet head of the paper has no second batch norm.
    """

    def __init__(self, classes: int, last_norm: bool):
        super().__init__()
        self.narrow = Conv(NARROW_CHANNELS)
        self.narrow_norm = BatchNorm(True)
        self.wide = Conv(WIDE_CHANNELS, (2, 2), padded=False)
        self.wide_norm = BatchNorm(True) if last_norm else None
        self.classifier = Classifier(classes)

    def build(self, shape) -> None:
        """Builds its layers, by the shape of the cell's output."""
        for size in shape[1:3]:
            _auxiliary_window(size)
        layers = [self.narrow, self.narrow_norm, self.wide, self.wide_norm]
        pooled = shape[0], 2, 2, shape[-1]
        last = operations.build_in_turn(filter(None, layers), pooled)
        operations.build_once(self.classifier, (last[0], last[-1]))

    def compute_output_shape(self, shape) -> tuple:
        """Returns [B, classes]."""
        return shape[0], self.classifier.units

    def call(self, x, training=False):
        """Computes logits [B, classes] of [B, H, W, C] with H, W >= 2."""
        windows = [_auxiliary_window(size) for size in x.shape[1:3]]
        sizes, steps = zip(*windows)
        x = tf.nn.avg_pool2d(tf.nn.relu(x), sizes, steps, "VALID")
        x = self.narrow_norm(self.narrow(x), training=training)
        x = self.wide(tf.nn.relu(x))
        if self.wide_norm is not None:
            x = self.wide_norm(x, training=training)
        x = widened(tf.nn.relu(x))
        return self.classifier(tf.reduce_mean(x, [1, 2]))


def _auxiliary_window(size: int) -> tuple[int, int]:
    """Returns (width, stride) of the pooling that leaves two of `size` pixels."""
    if size < 2:
        raise InputError(
            "the auxiliary head needs at least 2 x 2 pixels at 2/3 of the "
            "depth, so images of at least 5 x 5; use larger images, or no head "
            "(`auxiliary_weight=0`)"
        )
    width = min(size - 1, max(5, (size + 1) // 2))
    return width, size - width
