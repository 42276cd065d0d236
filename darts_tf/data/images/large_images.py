"""The augmentation of ImageNet, for a whole batch at once.

Random resized crops (Szegedy et al. 2015) and jittered colours, with the
numbers of the DARTS authors' code (torchvision's transforms).

Departures: images in memory are held at one size, whole and square, and a
crop is scaled back to that size, so a crop of torchvision's ratios has them
relative to the scaled image; next to a crop's edge, pixels outside of it are
interpolated with. Of streamed images (cuts.py) neither is so. Colours change
in a fixed order (brightness, contrast, saturation, hue), there in a random
one.
"""

from __future__ import annotations

import math

import tensorflow as tf

AREAS = (0.08, 1.0)
"""Share of an image that a crop has."""

RATIOS = (3 / 4, 4 / 3)
"""Of a crop's width to its height."""

TRIES = 10
"""Draws of a crop; where none fits in, it is the largest one, in the middle:
of a square image the whole."""

HUE_SHARE = 0.5
"""Of the strength of the other colour changes, that of the hue."""

GREY = (0.299, 0.587, 0.114)
"""Share of red, green and blue in the brightness of a pixel."""


def random_crops(count: int, seed, wide=1.0) -> tf.Tensor:
    """Crops as shares of an image's sides.

    Args:
      count: B.
      seed: [2] integers.
      wide: the images' width, in heights.

    Returns:
      float32 [B, 4]: top, left, height, width; all within 0 and 1.
    """
    areas, ratios, tops, lefts = tf.unstack(tf.random.split(seed, 4, alg="philox"))
    area = _uniform([count, TRIES], areas, *AREAS)
    ratio = tf.exp(_uniform([count, TRIES], ratios, *map(math.log, RATIOS)))
    sizes = tf.stack([tf.sqrt(area / ratio * wide), tf.sqrt(area * ratio / wide)], -1)
    fits = tf.reduce_all(sizes <= 1, -1)
    first = tf.argmax(tf.cast(fits, tf.int32), -1)  # of equal ones the first
    chosen = tf.gather(sizes, first, batch_dims=1)
    found = tf.reduce_any(fits, -1)[:, None]
    chosen = tf.where(found, chosen, _largest(wide))
    places = [_uniform([count], key, 0.0, 1.0) for key in (tops, lefts)]
    places = tf.where(found, tf.stack(places, -1), 0.5)
    corners = places * (1 - chosen)
    return tf.concat([corners, chosen], -1)


def _largest(wide) -> tf.Tensor:
    """Height and width, as shares, of the largest crop of RATIOS."""
    ratio = tf.clip_by_value(wide, *RATIOS)
    return tf.minimum(tf.stack([wide / ratio, ratio / wide]), 1.0)


def resized(images, crops) -> tf.Tensor:
    """Each image's crop, scaled to the image's size: bilinear.

    Args:
      images: uint8 [B, H, W, C] with static shape.
      crops: float32 [B, 4] as of random_crops.

    Returns:
      uint8 [B, H, W, C].
    """
    size, height, width, _ = images.shape
    border = [[0, 0], [1, 1], [1, 1], [0, 0]]  # repeats the outermost pixels
    x = tf.pad(tf.cast(images, tf.float32), border, "SYMMETRIC")
    sides = tf.constant([height, width], tf.float32)
    # Centres of the first and last pixel of the result, in pixels of x.
    first = crops[:, :2] * sides + crops[:, 2:] / 2 + 0.5
    last = first + crops[:, 2:] * (sides - 1)
    boxes = tf.concat([first, last], 1) / tf.tile(sides + 1, [2])
    x = tf.image.crop_and_resize(x, boxes, tf.range(size), (height, width))
    return tf.cast(tf.clip_by_value(tf.round(x), 0, 255), tf.uint8)


def jittered(images, strength: float, seed) -> tf.Tensor:
    """Images with other brightness, contrast, saturation and hue.

    Args:
      images: uint8 [B, H, W, 3].
      strength: s; factors are drawn from [1 - s, 1 + s], and the hue turns
        by up to HUE_SHARE s of a whole turn either way.
      seed: [2] integers.

    Returns:
      uint8 [B, H, W, 3].
    """
    keys = tf.unstack(tf.random.split(seed, 4, alg="philox"))
    count = images.shape[0]
    brightness, contrast, saturation = (
        _uniform([count], key, 1 - strength, 1 + strength) for key in keys[:3]
    )
    turn = HUE_SHARE * strength
    hue = _uniform([count], keys[3], -turn, turn)
    return coloured(images, brightness, contrast, saturation, hue)


def coloured(images, brightness, contrast, saturation, hue) -> tf.Tensor:
    """Images uint8 [B, H, W, 3] changed by numbers [B]; 1, 1, 1, 0: not."""
    x = tf.cast(images, tf.float32) / 255
    x = _blended(x, tf.zeros_like(x), brightness)
    even = tf.reduce_mean(_grey(x), [1, 2, 3], keepdims=True)
    x = _blended(x, even, contrast)
    x = _blended(x, _grey(x), saturation)
    turned, *rest = tf.unstack(tf.image.rgb_to_hsv(x), axis=-1)
    turned = tf.math.floormod(turned + hue[:, None, None], 1.0)
    x = tf.image.hsv_to_rgb(tf.stack([turned, *rest], -1))
    return tf.cast(tf.clip_by_value(tf.round(255 * x), 0, 255), tf.uint8)


def _blended(x, other, factor):
    """factor x + (1 - factor) other, within 0 and 1; factor [B]."""
    f = factor[:, None, None, None]
    return tf.clip_by_value(f * x + (1 - f) * other, 0.0, 1.0)


def _grey(x):
    """[B, H, W, 3] -> [B, H, W, 1]."""
    return tf.reduce_sum(x * tf.constant(GREY), -1, keepdims=True)


def _uniform(shape, seed, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, low, high, tf.float32, alg="philox")
