"""Computes the gradient of wide depthwise kernels three columns at a time.

oneDNN computes the gradient of a depthwise kernel of up to three columns some
eight times faster than that of one of five. Convolution, gradient of the input and
gradient of the kernel are linear in both of their arguments, and each has the
two others as its derivatives, of whatever order.
"""

from __future__ import annotations

import dataclasses
import os

import tensorflow as tf

from darts_tf.networks.compiled.derivative_mode import is_constant_in_weights

COLUMNS = 3
"""The widest kernel whose gradient is still fast."""


def depthwise(x, kernel, stride: int = 1, padding: str = "SAME"):
    """Convolves [B, H, W, C] with [k, k, C, 1], each channel for itself.

    Args:
      x: the feature maps.
      kernel: k is an odd number.
      stride: 1 or 2.
      padding: "SAME" (with stride 1) or "VALID".
    """
    height, width = x.shape[1:3]
    form = Form(height, width, kernel.shape[0], stride, padding)
    wide = kernel.shape[1] > COLUMNS
    if wide and _by_onednn(x) and not is_constant_in_weights():
        return form.by("dy", x=x, kernel=kernel)
    return form.y(x, kernel)


def _by_onednn(x) -> bool:
    """Returns whether oneDNN computes the convolution of x, and its gradients."""
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "1"
    if not onednn or x.dtype != tf.float32:
        return False
    return not tf.config.list_logical_devices("GPU")


@dataclasses.dataclass(frozen=True)
class Form:
    """A convolution as the sum of y * dy, linear in x, kernel and dy.

    Attributes:
      height: H of x.
      width: W of x.
      size: k.
      stride: 1 or 2.
      padding: "SAME" or "VALID".
    """

    height: int
    width: int
    size: int
    stride: int = 1
    padding: str = "SAME"

    def by(self, name: str, **others):
        """Computes the derivative by x, kernel or dy, at the two others.

        By dy it is y. Its own gradients are derivatives of the same sum, in
        which the gradient that arrives stands in the place of `name`.
        """
        compute = {"dy": self.y, "x": self.dx, "kernel": self.dkernel}[name]

        @tf.custom_gradient
        def of_both(*values):
            arguments = dict(zip(others, values, strict=True))

            def gradients(arrived):
                factors = arguments | {name: arrived}
                return [
                    self.by(n, **{m: t for m, t in factors.items() if m != n})
                    for n in arguments
                ]

            return compute(**arguments), gradients

        # Copies: a tensor of the graph of a function that is differentiated
        # is out of reach when the gradient is differentiated again.
        return of_both(*map(tf.identity, others.values()))

    def y(self, x, kernel):
        """Computes the convolution by TensorFlow, and with its gradients."""
        return tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=kernel, **self._options()
        )

    def dx(self, kernel, dy):
        """Computes the derivative by x by TensorFlow."""
        images = tf.shape(dy)[0] if dy.shape[0] is None else dy.shape[0]
        return tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
            input_sizes=[images, self.height, self.width, kernel.shape[2]],
            filter=kernel,
            out_backprop=dy,
            **self._options(),
        )

    def dkernel(self, x, dy):
        """Computes the derivative by the kernel, three columns at a time.

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
                **self._options() | {"padding": "VALID"},
            )
            parts.append(part[:, first - start :])
        return tf.concat(parts, 1)

    def _read(self, x, start: int, outputs: int):
        """Returns the pixels of x that the kernel's columns from `start` on read."""
        margin = self.size // 2 if self.padding == "SAME" else 0
        start -= margin
        stop = start + (outputs - 1) * self.stride + COLUMNS
        if start > 0 or stop < self.width:
            x = x[:, :, max(start, 0) : max(stop, 0)]
        sides = [max(-start, 0), max(stop - self.width, 0)]
        if not margin:
            return x
        return tf.pad(x, [[0, 0], [margin, margin], sides, [0, 0]])

    def _options(self) -> dict:
        strides = [1, self.stride, self.stride, 1]
        return {"strides": strides, "padding": self.padding}
