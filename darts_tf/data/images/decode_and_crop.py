"""Decodes crops of encoded images, of a JPEG without decoding the rest.

For images of several sizes, as ImageNet's: in training a random crop
(large_images.py), in measuring the centre: 224 pixels of an image whose
shorter side was scaled to 256 are a square of 7/8 of that side.

Departures: the crop is cut out first and scaled then, in whole pixels of the
original; the DARTS authors scale first when they measure.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from darts_tf.data.images.large_images import random_crops
from darts_tf.data.images.resize import resize_to

CENTRE = 224 / 256
"""Side of the crop that is measured on, as a share of the shorter side."""

Crop = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Chooses a crop: (height, width), int32 [] -> int32 [4]: top, left, height, width."""


def whole(height, width) -> tf.Tensor:
    """Chooses the whole image."""
    return tf.stack([0, 0, height, width])


def centre(height, width) -> tf.Tensor:
    """Chooses the square of CENTRE times the shorter side, in the middle."""
    shorter = tf.cast(tf.minimum(height, width), tf.float32)
    side = tf.maximum(tf.cast(tf.round(CENTRE * shorter), tf.int32), 1)
    return tf.stack([(height - side) // 2, (width - side) // 2, side, side])


def random_crop(seed) -> Crop:
    """Returns a chooser of random resized crops; seed: [2] integers."""

    def crop(height, width):
        sides = tf.stack([height, width])
        lengths = tf.cast(sides, tf.float32)
        wide = lengths[1] / lengths[0]
        shares = tf.reshape(random_crops(1, seed, wide), [2, 2])
        corner, size = tf.unstack(tf.cast(tf.round(shares * lengths), "int32"))
        size = tf.clip_by_value(size, 1, sides)
        return tf.concat([tf.minimum(corner, sides - size), size], 0)

    return crop


def decode_crop(data, crop: Crop, channels: int) -> tf.Tensor:
    """Decodes a crop of an image; of a JPEG nothing else is decoded.

    Args:
      data: [] string, the bytes of a JPEG, PNG, BMP or GIF.
      crop: chooses the crop.
      channels: C.

    Returns:
      uint8 [h, w, C].
    """

    def from_jpeg():
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(data), num=3)
        window = crop(height, width)
        return tf.image.decode_and_crop_jpeg(data, window, channels=channels)

    def from_another():
        image = tf.io.decode_image(data, channels, expand_animations=False)
        size = tf.shape(image)
        top, left, height, width = tf.unstack(crop(size[0], size[1]))
        return image[top : top + height, left : left + width]

    return tf.cond(tf.io.is_jpeg(data), from_jpeg, from_another)


def read_image(data, crop: Crop, shape: tuple[int, int, int]) -> tf.Tensor:
    """Decodes a crop of an image and scales it to `shape`, uint8 [H, W, C].

    With `whole` the image must have this shape already, and is not scaled.
    """
    image = decode_crop(data, crop, shape[-1])
    if crop is not whole:
        image = resize_to(image, shape[:2])
    return tf.ensure_shape(image, shape)
