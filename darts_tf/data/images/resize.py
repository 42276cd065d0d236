"""Image sizes: scaling, and whether the pixels fit in memory."""

from __future__ import annotations

import pathlib

import psutil
import tensorflow as tf

from darts_tf.errors import InputError

# Share of the available memory that the training images may take: the rest
# is for TensorFlow's copy of them and for the network.
MEMORY_FRACTION = 0.4
CONTAINER_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")


def resize(images, size: int) -> tf.Tensor:
    """Scales images to a square, bilinear with antialiasing.

    Args:
      images: uint8 [B, H, W, C] or [H, W, C]; proportions are not kept.
      size: pixels, of either side.

    Returns:
      uint8 [B, size, size, C] or [size, size, C].
    """
    return scaled(images, (size, size))


def scaled(images, size: tuple[int, int]) -> tf.Tensor:
    """The same to any height and width."""
    pixels = tf.image.resize(images, size, antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)


def available_memory() -> int:
    """Bytes that can still be taken, within a container's limit."""
    available = psutil.virtual_memory().available
    if CONTAINER_LIMIT.is_file():
        limit = CONTAINER_LIMIT.read_text().strip()
        if limit.isdigit():
            available = min(available, int(limit))
    return available


def require_memory(
    name: str, count: int, shape: tuple[int, int, int], otherwise: str = ""
) -> None:
    """Refuses images that would not fit, before any is read.

    Args:
      name: of the set.
      count: N, how many images are held at once.
      shape: (H, W, C) of each, one byte a value.
      otherwise: what helps beside smaller images.

    Raises:
      InputError: N H W C bytes are more than MEMORY_FRACTION of what is
        available.
    """
    height, width, channels = shape
    needed = count * height * width * channels
    allowed = MEMORY_FRACTION * available_memory()
    if needed > allowed:
        raise InputError(
            f"{name}: {count} images of {height}x{width}x{channels} take "
            f"{needed / 2**30:.1f} GiB, more than the {allowed / 2**30:.1f} "
            f"GiB allowed ({MEMORY_FRACTION:.0%} of the available memory); "
            f"give a smaller --image_size{otherwise}"
        )
