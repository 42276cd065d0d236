"""The inverted residual block of MobileNetV2 (Sandler et al., CVPR 2018, sect. 3.3)."""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.convolutions import Conv, DepthwiseConv
from darts_tf.networks.drop_path import dropped


class InvertedResidual(operations.Block):
    """Expands, convolves each channel, projects; adds its input where that fits.

    1 x 1 convolution to E times the channels, BN, ReLU6; depthwise k x k
    convolution, BN, ReLU6; 1 x 1 convolution, BN (linear). With an expansion of 1
    the first of the three is left out (as in the authors' code). The input is
    added where the stride is 1 and the channels stay.

    Args:
      inputs, channels: C of input and output.
      kernel: k, an odd number.
      expansion: E.
      stride: 1 or 2.
      norm: called without arguments, returns a new BatchNorm.

    Attributes:
      residual: whether the input is added.
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, expansion: int, stride: int, norm
    ):
        super().__init__()
        self.residual = stride == 1 and inputs == channels
        expand = [Conv(inputs * expansion), norm()] if expansion > 1 else []
        depthwise = [DepthwiseConv(kernel, stride), norm()]
        self.activated_layers = [*expand, *depthwise]
        self.project, self.last_norm = Conv(channels), norm()

    def build(self, shape) -> None:
        """Builds its layers, by the shape of the input."""
        every = [*self.activated_layers, self.project, self.last_norm]
        operations.build_in_turn(every, shape)

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the output, from that of the input."""
        for layer in (*self.activated_layers, self.project):
            shape = layer.compute_output_shape(shape)
        return shape

    def branch(self, x, scale=None, training=False):
        """Computes the block without its input added, [B, H', W', C].

        Args:
          x: [B, H, W, inputs].
          scale: [C], multiplies the result for free; None for 1.
          training: whether batch norm uses (and follows) the batch.
        """
        convolutions, norms = self.activated_layers[::2], self.activated_layers[1::2]
        for convolution, norm in zip(convolutions, norms, strict=True):
            x = tf.nn.relu6(norm(convolution(x), training=training))
        return self.last_norm(self.project(x), scale=scale, training=training)

    def call(self, x, drop_path=None, training=False):
        """Computes [B, ceil(H/stride), ceil(W/stride), C] from [B, H, W, inputs].

        Args:
          x: the input.
          drop_path: factors [B, 1, 1, 1] of the branch beside an added input;
            None for 1 (networks/drop_path.py).
          training: whether batch norm uses (and follows) the batch.
        """
        y = self.branch(x, training=training)
        if not self.residual:
            return y
        return x + (y if drop_path is None else dropped(y, drop_path))
