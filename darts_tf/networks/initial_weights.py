"""The initial weights of the papers' own runs, by PyTorch 0.3.1.

They differ from those of today's PyTorch, and of the layers here, in two places. The
scale of batch norm starts uniform in [0, 1], and not at 1 (so since PyTorch 1.2). A
depthwise kernel of size k on C channels starts uniform in +-1 / sqrt(C k k), as if it
were no depthwise one, and not in +-1 / sqrt(k k).
"""

from __future__ import annotations

import math

import keras

from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import DepthwiseConv


def draw_as_authors(model: keras.Model) -> None:
    """Gives a built network these initial weights, in the place of its own.

    Layers of operations that a user has registered stay as they are.

    Args:
      model: with its initial weights.
    """
    uniform = keras.initializers.RandomUniform(0.0, 1.0)
    for layer in model._flatten_layers():
        if isinstance(layer, DepthwiseConv):
            channels = layer.kernel.shape[2]
            layer.kernel.assign(layer.kernel / math.sqrt(channels))
        elif isinstance(layer, BatchNorm) and layer.affine:
            layer.gamma.assign(uniform(layer.gamma.shape))
