"""Crops, flips and cutout of small images, for a whole batch at once.

Crop and flip move raw pixels, so that what a crop adds is black; cutout
(DeVries and Taylor 2017) hides a square of the normalised image with 0, the
training images' mean.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import tensorflow as tf

from darts_tf.data.images import large_images
from darts_tf.errors import InputError

LARGE = 2  # keeps this randomness apart from that of crops and flips


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random changes made to training images.

    Attributes:
      crop_padding: pixels of black around an image before a random crop of
        its own size; 0 for no crop.
      flip: whether images are mirrored, each with probability 1/2.
      cutout_length: side of the hidden square in pixels, even; 0 for none.
      resized_crop, colour_jitter: see large_images.py; before all others.

    Raises:
      InputError: a negative number, an odd cutout_length (its square would
        be smaller than asked for), or a colour_jitter above 1.
    """

    crop_padding: int = 4
    flip: bool = True
    cutout_length: int = 0
    resized_crop: bool = False
    colour_jitter: float = 0.0

    def __post_init__(self):
        if self.crop_padding < 0:
            raise InputError(
                f"`crop_padding` must be 0 (off) or more pixels; received "
                f"{self.crop_padding}"
            )
        if self.cutout_length < 0 or self.cutout_length % 2:
            raise InputError(
                "`cutout_length` must be 0 (off) or an even number of pixels; "
                f"received {self.cutout_length}"
            )
        if not 0 <= self.colour_jitter <= 1:
            raise InputError(
                f"`colour_jitter` must be 0 (off) to 1; received {self.colour_jitter}"
            )

    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses an augmentation that does not fit images [H, W, C].

        Raises:
          InputError: the hidden square is larger than the image, or colours
            are to be changed in images that have not 3 channels.
        """
        height, width, channels = image_shape
        if self.colour_jitter and channels != 3:
            raise InputError(
                f"`colour_jitter` needs images with 3 channels, and these have "
                f"{channels}; give 0"
            )
        if self.cutout_length > min(height, width):
            raise InputError(
                f"`cutout_length={self.cutout_length}` is larger than the "
                f"{height}x{width} images; give an even number of at most "
                f"{min(height, width)}, or 0 for none"
            )

    def move(self, images, seed) -> tf.Tensor:
        """Changes colours, crops and flips at random.

        Args:
          images: raw uint8 [B, H, W, C] with static shape.
          seed: [2] integers; the same seed gives the same result.

        Returns:
          uint8 [B, H, W, C].
        """
        size = images.shape[0]
        images = self._large(images, seed)
        keys = tf.unstack(tf.random.split(seed, 3, alg="philox"))
        tops, lefts = (
            _uniform([size], key, 2 * self.crop_padding + 1) for key in keys[:2]
        )
        flips = tf.zeros([size], tf.bool)
        if self.flip:
            flips = _uniform([size], keys[2], 2) == 1
        return crop_and_flip(images, self.crop_padding, tops, lefts, flips)

    def _large(self, images, seed) -> tf.Tensor:
        """Applies the augmentation of large images, by separate randomness."""
        key: Any = tf.random.fold_in(seed, LARGE, alg="philox")
        crops, colours = tf.unstack(tf.random.split(key, 2, alg="philox"))
        if self.resized_crop:
            drawn = large_images.random_crops(images.shape[0], crops)
            images = large_images.crop_and_resize(images, drawn)
        if self.colour_jitter:
            images = large_images.jitter(images, self.colour_jitter, colours)
        return images

    def hide(self, images, seed) -> tf.Tensor:
        """Applies cutout to normalised float32 images [B, H, W, C]."""
        if not self.cutout_length:
            return images
        size, height, width, _ = images.shape
        rows, columns = tf.unstack(tf.random.split(seed, 2, alg="philox"))
        centres = tf.stack(
            [_uniform([size], rows, height), _uniform([size], columns, width)],
            axis=1,
        )
        return cutout(images, centres, self.cutout_length)


def _uniform(shape, seed, stop: int) -> tf.Tensor:
    """Draws whole numbers from 0 to stop - 1, int32."""
    return tf.random.stateless_uniform(shape, seed, 0, stop, tf.int32, alg="philox")


def crop_and_flip(images, padding: int, tops, lefts, flips) -> tf.Tensor:
    """Crops images with a black border, and mirrors some of them.

    Args:
      images: [B, H, W, C] with static shape.
      padding: P, width of the border in pixels.
      tops, lefts: int32 [B], 0 to 2P: corner of the crop in the image with
        its border; (P, P) is the image itself.
      flips: bool [B]; True mirrors the crop from left to right.

    Returns:
      [B, H, W, C].
    """
    size, height, width, channels = images.shape
    border = [padding, padding]
    x = tf.pad(images, [[0, 0], border, border, [0, 0]])
    rows = tops[:, None] + tf.range(height)
    forward = tf.range(width)
    columns = tf.where(flips[:, None], forward[::-1], forward)
    columns = columns + lefts[:, None]
    high, wide = height + 2 * padding, width + 2 * padding
    lines = tf.range(size)[:, None] * high + rows
    pixels = lines[:, :, None] * wide + columns[:, None, :]
    return tf.gather(tf.reshape(x, [size * high * wide, channels]), pixels)


def cutout(images, centres, length: int) -> tf.Tensor:
    """Sets a square of each image to zero (DeVries and Taylor 2017).

    Args:
      images: [B, H, W, C].
      centres: int32 [B, 2], row and column c; the square covers
        [c - length // 2, c + length // 2) both ways, cut off at the borders.
      length: side of the square in pixels, even.

    Returns:
      [B, H, W, C].
    """
    _, height, width, _ = images.shape
    rows = _covered(centres[:, 0], height, length)[:, :, None, None]
    columns = _covered(centres[:, 1], width, length)[:, None, :, None]
    return tf.where(rows & columns, tf.zeros([], images.dtype), images)


def _covered(centres, size: int, length: int) -> tf.Tensor:
    """Returns bool [B, size]: True for rows (or columns) in the square."""
    distance = tf.range(size) - centres[:, None]
    return (distance >= -(length // 2)) & (distance < length // 2)
