"""Available memory, and the check that a data set fits into it."""

from __future__ import annotations

import pathlib

import psutil

from darts_tf.errors import InputError

# Share of the available memory that the training images may take: the rest
# is for TensorFlow's copy of them and for the network.
MEMORY_FRACTION = 0.4
CONTAINER_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")


def available_memory() -> int:
    """Returns the bytes that can still be allocated, within a container's limit."""
    available = psutil.virtual_memory().available
    if CONTAINER_LIMIT.is_file():
        limit = CONTAINER_LIMIT.read_text().strip()
        if limit.isdigit():
            available = min(available, int(limit))
    return available


def require_memory(
    name: str,
    count: int,
    shape: tuple[int, int, int],
    remedy: str = "give a smaller `image_size`",
) -> None:
    """Refuses images that do not fit in memory, before any is read.

    Args:
      name: of the set, for the message.
      count: N, how many images are held at once.
      shape: (H, W, C) of each, one byte a value.
      remedy: what the message advises.

    Raises:
      InputError: N H W C bytes are more than MEMORY_FRACTION of the available
        memory.
    """
    height, width, channels = shape
    needed = count * height * width * channels
    allowed = MEMORY_FRACTION * available_memory()
    if needed > allowed:
        raise InputError(
            f"{name}: {count} images of {height}x{width}x{channels} take "
            f"{needed / 2**30:.1f} GiB, more than the {allowed / 2**30:.1f} "
            f"GiB allowed ({MEMORY_FRACTION:.0%} of the available memory); "
            f"{remedy}"
        )
