"""Convolutions with the papers' padding and PyTorch's initialisation.

Every feature map is [B, H, W, C]; padding is (kernel - 1) / 2 zeros on all
four sides, which with stride 2 is not what TensorFlow's SAME does. They compute
in the type of their input (networks/precision.py).
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.layer import Layer


def uniform(fan_in: int) -> keras.initializers.Initializer:
    """Returns PyTorch's initialiser, uniform in +-1/sqrt(fan_in).

    The papers' runs had others in two places (networks/initial_weights.py).
    """
    bound = 1 / math.sqrt(fan_in)
    return keras.initializers.RandomUniform(-bound, bound)


def pad(x, size: int, value: float = 0.0):
    """Pads H and W of [B, H, W, C] by `size` on each side."""
    sides = [size, size]
    return tf.pad(x, [[0, 0], sides, sides, [0, 0]], constant_values=value)


def strided(shape, stride: int) -> tuple:
    """Returns the shape [B, H, W, C] after a strided, size-preserving operation."""
    batch, *sizes, channels = shape
    return batch, *(-(-n // stride) for n in sizes), channels


class Conv(Layer):
    """A convolution without bias, padded by (kernel - 1) / 2 on each side.

    1 x 1 it is a matrix product, whose gradients are cheaper. With stride 2 it
    is also the only right one where oneDNN's kernels are on: those of
    TensorFlow 2.21 give a wrong gradient of such a kernel of fewer than 8
    channels.

    Args:
      channels: output channels.
      kernel: height and width of the kernel, odd numbers.
      strides: vertical and horizontal stride.
      padded: False for no padding at all.
    """

    def __init__(self, channels, kernel=(1, 1), strides=(1, 1), padded=True):
        super().__init__()
        self.channels = channels
        self.kernel_size = kernel
        self.strides = strides
        self.margin = tuple((k - 1) // 2 if padded else 0 for k in kernel)

    def build(self, shape) -> None:
        """Creates the kernel [kh, kw, in, out]."""
        fan_in = shape[-1] * self.kernel_size[0] * self.kernel_size[1]
        self.kernel = self.add_weight(
            (*self.kernel_size, shape[-1], self.channels),
            uniform(fan_in),
            name="kernel",
        )

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        whole = zip(shape[1:3], self.kernel_size, self.strides, self.margin)
        sizes = [(n + 2 * m - k) // s + 1 for n, k, s, m in whole]
        return shape[0], *sizes, self.channels

    def call(self, x):
        """Computes [B, H', W', channels] from [B, H, W, in]."""
        kernel = tf.cast(self.kernel, x.dtype)
        if self.kernel_size == (1, 1):
            down, right = self.strides
            if (down, right) != (1, 1):
                x = x[:, ::down, ::right]
            rows = tf.reshape(x, [-1, x.shape[-1]])
            y = tf.matmul(rows, tf.reshape(kernel, [x.shape[-1], -1]))
            return tf.reshape(y, [-1, *x.shape[1:3], self.channels])
        high, wide = self.margin
        sides = [[0, 0], [high, high], [wide, wide], [0, 0]]
        padding: Any = sides if high or wide else "VALID"
        return tf.nn.conv2d(x, kernel, self.strides, padding)


def phases_read(x, stride: int) -> list:
    """Splits [B, H, W, C] into the phases that operations read which skip pixels.

    Slices with a step of 2 would take five times as long.

    Returns:
      With stride 1 [all four phases, one behind the other: [4 B, H / 2, W / 2,
      C]], where H and W are even. With stride 2 [the pixels (2i, 2j), the
      pixels (2i + 1, 2j + 1)], each [B, ceil(H / 2), ceil(W / 2), C]; odd
      sizes are padded by zeros at the end.
    """
    ends = [[0, size % 2] for size in x.shape[1:3]]
    phases = tf.raw_ops.SpaceToBatchND(input=x, block_shape=[2, 2], paddings=ends)
    if stride == 1:
        return [phases]
    even, _, _, odd = tf.split(phases, 4)
    return [even, odd]


def joined(phases, stride: int):
    """Puts the result on the first of `phases_read` into the order of x's pixels."""
    if stride == 2:
        return phases
    return tf.raw_ops.BatchToSpaceND(
        input=phases, block_shape=[2, 2], crops=[[0, 0], [0, 0]]
    )


class DepthwiseConv(Layer):
    """A depthwise k x k convolution, stride 1 or 2, dilation 1 or 2.

    With stride 2 and dilation 2 TensorFlow returns wrong values of the right
    shape. There, all pixels that are read have even coordinates (the padding
    k - 1 is even), so it is computed as what it is: the undilated, unstrided
    convolution of x[:, ::2, ::2].

    With dilation 2 an output pixel reads pixels of one of four phases only,
    those of even or odd coordinates, in which the convolution is undilated.
    Whoever has the phases already gives them in the place of x (`in_phases`).
    """

    def __init__(self, size: int, stride: int = 1, dilation: int = 1):
        super().__init__()
        self.size, self.stride, self.dilation = size, stride, dilation

    def in_phases(self, phases):
        """Convolves the first phases of `phases_read`; the result is in phases too."""
        if not self.built:
            self.build(phases.shape)
        return self._convolve(phases, 1, "SAME")

    def build(self, shape) -> None:
        """Creates the kernel [k, k, C, 1]."""
        self.kernel = self.add_weight(
            (self.size, self.size, shape[-1], 1),
            uniform(self.size**2),
            name="depthwise_kernel",
        )

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        return strided(shape, self.stride)

    def call(self, x):
        """Computes [B, ceil(H/stride), ceil(W/stride), C] from [B, H, W, C]."""
        if self.stride == 2 and self.dilation == 1:
            return self._convolve(pad(x, self.size // 2), 2, "VALID")
        if self.stride == 2:
            return self.in_phases(phases_read(x, 2)[0])
        if self.dilation == 1:
            return self._convolve(x, 1, "SAME")
        return self._dilated(x)

    def _convolve(self, x, stride: int, padding: str):
        kernel = tf.cast(self.kernel, x.dtype)
        return implementation.depthwise(x, kernel, stride, padding, self.plain)

    def _dilated(self, x):
        """Computes dilation 2 as four undilated convolutions, one for each phase."""
        margin = self.size - 1
        odd = [x.shape[1] % 2, x.shape[2] % 2]
        padding = [[margin, margin + extra] for extra in odd]
        phases = tf.raw_ops.SpaceToBatchND(
            input=x, block_shape=[2, 2], paddings=padding
        )
        return tf.raw_ops.BatchToSpaceND(
            input=self._convolve(phases, 1, "VALID"),
            block_shape=[2, 2],
            crops=[[0, extra] for extra in odd],
        )
