"""Random resized crops and colour jitter for ImageNet, in whole batches.

Random resized crops (Szegedy et al. 2015) and jittered colours, with the
numbers of the DARTS authors' code (torchvision's transforms).

Departures: images in memory have one size, whole and square, so the ratios of
a crop are relative to the scaled image, and at a crop's edge pixels outside of
it are interpolated with. Streamed images (decode_and_crop.py) have neither
departure. Colours change in a fixed order (brightness, contrast, saturation,
hue), there in a random one.
"""

from __future__ import annotations

import math

import tensorflow as tf

AREAS = (0.08, 1.0)
"""Smallest and largest area of a crop, as a share of the image."""

RATIOS = (3 / 4, 4 / 3)
"""Smallest and largest ratio of a crop's width to its height."""

TRIES = 10
"""Draws of a crop. If none fits, the crop is the largest one, in the middle:
of a square image the whole."""

HUE_SHARE = 0.5
"""Strength of the hue's change, as a share of that of the other changes."""

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel."""


def random_crops(count: int, seed, wide=1.0) -> tf.Tensor:
    """Draws crops as shares of an image's sides.

    Args:
      count: B.
      seed: [2] integers.
      wide: the images' width divided by their height.

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
    any_fits = tf.reduce_any(fits, -1)[:, None]
    chosen = tf.where(any_fits, chosen, _largest(wide))
    places = [_uniform([count], key, 0.0, 1.0) for key in (tops, lefts)]
    places = tf.where(any_fits, tf.stack(places, -1), 0.5)
    corners = places * (1 - chosen)
    return tf.concat([corners, chosen], -1)


def _largest(wide) -> tf.Tensor:
    """Returns height and width, as shares, of the largest crop of RATIOS."""
    ratio = tf.clip_by_value(wide, *RATIOS)
    return tf.minimum(tf.stack([wide / ratio, ratio / wide]), 1.0)


def crop_and_resize(images, crops) -> tf.Tensor:
    """Cuts each image's crop and scales it back to the image's size, bilinear.

    Args:
      images: uint8 [B, H, W, C] with static shape.
      crops: float32 [B, 4]: top, left, height, width as shares.

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


def jitter(images, strength: float, seed) -> tf.Tensor:
    """Changes brightness, contrast, saturation and hue at random.

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
    return change_colours(images, brightness, contrast, saturation, hue)


def change_colours(images, brightness, contrast, saturation, hue) -> tf.Tensor:
    """Changes the colours of images.

    Args:
      images: uint8 [B, H, W, 3].
      brightness, contrast, saturation: factors float32 [B]; 1 for no change.
      hue: float32 [B], in whole turns; 0 for no change.

    Returns:
      uint8 [B, H, W, 3].
    """
    x = tf.cast(images, tf.float32) / 255
    x = _blend(x, tf.zeros_like(x), brightness)
    even = tf.reduce_mean(_grey(x), [1, 2, 3], keepdims=True)
    x = _blend(x, even, contrast)
    x = _blend(x, _grey(x), saturation)
    turns, *rest = tf.unstack(tf.image.rgb_to_hsv(x), axis=-1)
    turns = tf.math.floormod(turns + hue[:, None, None], 1.0)
    x = tf.image.hsv_to_rgb(tf.stack([turns, *rest], -1))
    return tf.cast(tf.clip_by_value(tf.round(255 * x), 0, 255), tf.uint8)


def _blend(x, other, factor):
    """Returns factor x + (1 - factor) other, within 0 and 1; factor [B]."""
    f = factor[:, None, None, None]
    return tf.clip_by_value(f * x + (1 - f) * other, 0.0, 1.0)


def _grey(x):
    """Returns the brightness of pixels, [B, H, W, 3] -> [B, H, W, 1]."""
    return tf.reduce_sum(x * tf.constant(GREY), -1, keepdims=True)


def _uniform(shape, seed, low: float, high: float) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, low, high, tf.float32, alg="philox")
