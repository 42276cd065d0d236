"""Pieces of encoded images, cut out before they are decoded.

For images of several sizes, as ImageNet's: in training a random piece
(large_images.py), in measuring the centre: 224 pixels of an image whose
shorter side was scaled to 256 are a square of 7/8 of that side.

Departures: the piece is cut out first and scaled then, in whole pixels of the
original; the DARTS authors scale first when they measure.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from darts_tf.data.images.large_images import random_crops
from darts_tf.data.images.resize import scaled

CENTRE = 224 / 256
"""Of the shorter side: what is measured on."""

Cut = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(height, width), int32 [] -> int32 [4]: top, left, height, width."""


def whole(height, width) -> tf.Tensor:
    """The image itself."""
    return tf.stack([0, 0, height, width])


def centre(height, width) -> tf.Tensor:
    """A square of CENTRE of the shorter side."""
    shorter = tf.cast(tf.minimum(height, width), tf.float32)
    side = tf.maximum(tf.cast(tf.round(CENTRE * shorter), tf.int32), 1)
    return tf.stack([(height - side) // 2, (width - side) // 2, side, side])


def random_piece(seed) -> Cut:
    """A random resized crop's; seed: [2] integers."""

    def cut(height, width):
        sides = tf.stack([height, width])
        lengths = tf.cast(sides, tf.float32)
        wide = lengths[1] / lengths[0]
        shares = tf.reshape(random_crops(1, seed, wide), [2, 2])
        corner, size = tf.unstack(tf.cast(tf.round(shares * lengths), "int32"))
        size = tf.clip_by_value(size, 1, sides)
        return tf.concat([tf.minimum(corner, sides - size), size], 0)

    return cut


def cut_out(data, cut: Cut, channels: int) -> tf.Tensor:
    """A piece of an encoded image; of a JPEG nothing else is decoded.

    Args:
      data: [] string, the bytes of a JPEG, PNG, BMP or GIF.
      cut: which piece.
      channels: C.

    Returns:
      uint8 [h, w, C].
    """

    def of_jpeg():
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(data), num=3)
        piece = cut(height, width)
        return tf.image.decode_and_crop_jpeg(data, piece, channels=channels)

    def of_another():
        image = tf.io.decode_image(data, channels, expand_animations=False)
        size = tf.shape(image)
        top, left, height, width = tf.unstack(cut(size[0], size[1]))
        return image[top : top + height, left : left + width]

    return tf.cond(tf.io.is_jpeg(data), of_jpeg, of_another)


def read_image(data, cut: Cut, shape: tuple[int, int, int]) -> tf.Tensor:
    """An encoded image's piece scaled to `shape`, uint8 [H, W, C].

    The whole image has to have this shape already, and is not scaled.
    """
    image = cut_out(data, cut, shape[-1])
    if cut is not whole:
        image = scaled(image, shape[:2])
    return tf.ensure_shape(image, shape)
