"""A stand-in for ImageNet: JPEGs of several sizes in several TFRecord files.

Written by TFDS's own builder of imagenet2012, given made-up images. An image
is of one colour, which tells which one it is; its label is 7 times its number.
"""

from __future__ import annotations

import io
import pathlib
from collections.abc import Mapping
from unittest import mock

import numpy as np
from PIL import Image

STEP = 5  # between the greens of two images: more than JPEG loses


def prepare(root: pathlib.Path, counts: Mapping[str, int], shards=3) -> str:
    """Writes so many images of each split; gives the folder.

    Labels of the split "test" are hidden, as those of ImageNet are.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder("imagenet2012", data_dir=root)
    config = tfds.download.DownloadConfig(try_download_gcs=False, num_shards=shards)
    splits = {split: examples(split, n) for split, n in counts.items()}
    with mock.patch.object(type(builder), "_split_generators", lambda self, *_: splits):
        builder.download_and_prepare(download_config=config)
    return str(root)


def examples(split: str, count: int):
    """(key, example) of each image of a split."""
    random = np.random.default_rng(0)
    for number in range(count):
        height, width = random.integers(20, 90, 2)
        label = -1 if split == "test" else label_of(number)
        name = f"{split}_{number}.JPEG"
        yield (
            name,
            {
                "image": jpeg(number, height, width),
                "label": label,
                "file_name": name,
            },
        )


def label_of(number):
    """Returns the label of an image, or those of an array of images."""
    return 7 * number


def jpeg(number: int, height: int, width: int) -> io.BytesIO:
    """An image that is all one colour."""
    colour = (200, STEP * number, 30)
    pixels = np.full((height, width, 3), colour, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    buffer.seek(0)
    return buffer


def numbers(images) -> np.ndarray:
    """Returns the numbers [N] of images by their pixels [N, H, W, 3], 0 to 255."""
    greens = np.asarray(images, np.float64)[..., 1].mean(axis=(1, 2))
    return np.rint(greens / STEP).astype(int)
