"""Scales images to another height and width."""

from __future__ import annotations

import tensorflow as tf


def resize(images, size: int) -> tf.Tensor:
    """Scales images to a square, bilinear with antialiasing.

    Args:
      images: uint8 [B, H, W, C] or [H, W, C]; proportions are not kept.
      size: pixels, of either side.

    Returns:
      uint8 [B, size, size, C] or [size, size, C].
    """
    return resize_to(images, (size, size))


def resize_to(images, size: tuple[int, int]) -> tf.Tensor:
    """Scales images to any (height, width); see `resize`."""
    pixels = tf.image.resize(images, size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)
