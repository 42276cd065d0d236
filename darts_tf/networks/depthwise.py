"""Depthwise convolutions, the gradient of wide kernels in narrow parts.

oneDNN computes the gradient of a depthwise kernel of up to three columns some
eight times faster than that of one of five (BUILD_NOTES.md, "Kernels"). So it is
computed three columns at a time. Convolution, gradient of the input and
gradient of the kernel are linear in both of their arguments, and each has the
two others as its derivatives, of whatever order.
"""

from __future__ import annotations

import dataclasses
import os

import tensorflow as tf

COLUMNS = 3
"""Of a kernel, whose gradient is still fast."""


def depthwise(x, kernel, stride: int = 1, padding: str = "SAME"):
    """The depthwise convolution of [B, H, W, C] with [k, k, C, 1].

    Args:
      x: the feature maps.
      kernel: k is an odd number.
      stride: 1 or 2.
      padding: "SAME" (with stride 1) or "VALID".
    """
    shape = tf.shape(x)
    form = _Form(shape, x.shape[2], kernel.shape[0], stride, padding)
    return form.narrow(x, kernel) if _in_parts(x, kernel) else form.of(x, kernel)


def _in_parts(x, kernel) -> bool:
    """Whether oneDNN computes it, with a kernel that is not narrow."""
    wide = kernel.shape[1] > COLUMNS and x.dtype == tf.float32
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"
    return wide and onednn and not tf.config.list_logical_devices("GPU")


@dataclasses.dataclass(frozen=True)
class _Form:
    """One convolution: y of x and kernel, and its gradients by dy.

    Attributes:
      shape: of x, a tensor.
      width: W of x.
      size: k.
      stride: 1 or 2.
      padding: "SAME" or "VALID".
    """

    shape: tf.Tensor
    width: int
    size: int
    stride: int
    padding: str

    def of(self, x, kernel):
        """y, with TensorFlow's own gradients."""
        return tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=kernel, **self._how()
        )

    def narrow(self, x, kernel):
        """y."""

        @tf.custom_gradient
        def convolved(x, kernel):
            def gradients(dy):
                return self.input_gradient(kernel, dy), self.kernel_gradient(
                    x, dy
                )

            return self.of(x, kernel), gradients

        return convolved(x, kernel)

    def input_gradient(self, kernel, dy):
        """Of the sum of y * dy, by x."""

        @tf.custom_gradient
        def by_input(kernel, dy):
            def gradients(dx):
                return self.kernel_gradient(dx, dy), self.narrow(dx, kernel)

            dx = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=self.shape,
                filter=kernel,
                out_backprop=dy,
                **self._how(),
            )
            return dx, gradients

        return by_input(kernel, dy)

    def kernel_gradient(self, x, dy):
        """Of the sum of y * dy, by the kernel."""

        @tf.custom_gradient
        def by_kernel(x, dy):
            def gradients(dk):
                return self.input_gradient(dk, dy), self.narrow(x, dk)

            return self._in_parts(x, dy), gradients

        return by_kernel(x, dy)

    def _how(self) -> dict:
        strides = [1, self.stride, self.stride, 1]
        return {"strides": strides, "padding": self.padding}

    def _in_parts(self, x, dy):
        """The gradient of the kernel, three columns at a time.

        The last three may have some in common with those before: as one
        part they cost no more.
        """
        parts = []
        for first in range(0, self.size, COLUMNS):
            start = min(first, self.size - COLUMNS)
            part = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=self._read(x, start, dy.shape[2]),
                filter_sizes=[self.size, COLUMNS, x.shape[3], 1],
                out_backprop=dy,
                strides=self._how()["strides"],
                padding="VALID",
            )
            parts.append(part[:, first - start :])
        return tf.concat(parts, 1)

    def _read(self, x, start: int, outputs: int):
        """What the kernel's three columns from `start` on read of x."""
        margin = self.size // 2 if self.padding == "SAME" else 0
        start -= margin
        stop = start + (outputs - 1) * self.stride + COLUMNS
        if start > 0 or stop < self.width:
            x = x[:, :, max(start, 0) : max(stop, 0)]
        sides = [max(-start, 0), max(stop - self.width, 0)]
        if not margin:
            return x
        return tf.pad(x, [[0, 0], [margin, margin], sides, [0, 0]])
