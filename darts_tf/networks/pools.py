"""Max and average pooling as candidate operations (DARTS sect. 3.1.1).

[B, H, W, C] -> [B, ceil(H/stride), ceil(W/stride), C].
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.convolutions import pad


def max_pool(x, stride: int):
    """Computes 3 x 3 max pooling, padded by one pixel that never wins.

    Padded explicitly with stride 1 too, where it may be differentiated twice:
    where input and output have one size, TensorFlow's MaxPoolGradGrad works in
    place on a buffer that it still has to read, and second derivatives in a
    graph come out wrong (tests/networks/test_pools.py shows it).

    In an export the pixels at the border are repeated instead, which are in the
    windows anyway: the range of 8 bit maps would have to reach to the padding. They
    are concatenated, since LiteRT takes 30 times as long for a symmetric padding.
    """
    exported = implementation.is_exported()
    if stride == 1 and (exported or implementation.is_differentiated_once()):
        return tf.nn.max_pool2d(x, 3, 1, "SAME")
    if exported:
        return tf.nn.max_pool2d(_repeat_border(x), 3, stride, "VALID")
    return tf.nn.max_pool2d(pad(x, 1, x.dtype.min), 3, stride, "VALID")


def _repeat_border(x):
    """Repeats the first row and column of [B, H, W, C], the last of odd sizes too.

    With stride 2 no window reaches behind the last pixel of an even size.
    """
    height, width = x.shape[1:3]
    x = tf.concat([x[:, :1], x, x[:, -1:]][: 2 + height % 2], 1)
    return tf.concat([x[:, :, :1], x, x[:, :, -1:]][: 2 + width % 2], 2)


def avg_pool(x, stride: int):
    """Computes 3 x 3 average pooling; padding is not counted in the average."""
    if stride == 1:
        return tf.nn.avg_pool2d(x, 3, 1, "SAME")
    y = tf.nn.avg_pool2d(pad(x, 1), 3, stride, "VALID")
    rows, columns = (_counted(size, stride) for size in x.shape[1:3])
    share = np.outer(rows, columns)[:, :, np.newaxis] / 9
    return y * tf.constant(1 / share, y.dtype)


def _counted(size: int, stride: int) -> np.ndarray:
    """Returns how many of each window's three pixels along a side are no padding."""
    first = np.arange(0, size, stride) - 1
    return np.minimum(first + 3, size) - np.maximum(first, 0)


POOLS = {"max_pool_3x3": max_pool, "avg_pool_3x3": avg_pool}
