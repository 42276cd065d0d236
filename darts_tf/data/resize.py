"""One way to bring images to another size, whatever they come from."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.data.part import Part

_CHUNK = 1024


def resize(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Bilinear with antialiasing: uint8 [..., H, W, C] to [..., *size, C].

    The aspect ratio is not kept: nothing is cut off.
    """
    images = tf.image.resize(images, size, antialias=True)
    return tf.saturate_cast(tf.round(images), tf.uint8)


def resize_part(part: Part, size: tuple[int, int] | None) -> Part:
    """The part with images of `size`; the part itself where it fits."""
    if size is None or part.images.shape[1:3] == size:
        return part
    chunks = [
        resize(part.images[start : start + _CHUNK], size).numpy()
        for start in range(0, len(part), _CHUNK)
    ]
    return Part(np.concatenate(chunks), part.labels)
