"""Loads images with class labels by name: embedded, a user's folder, or TFDS."""

from __future__ import annotations

import dataclasses
import numbers

from darts_tf.data.images import imagenet16
from darts_tf.data.images.dataset import (
    ImageData,
    Part,
    channel_statistics,
    largest_share,
    stratified_split,
    without_content,
)
from darts_tf.data.images.digits import load_digits
from darts_tf.data.images.folder import load_folder
from darts_tf.data.images.prepared import describe_prepared, load_prepared
from darts_tf.data.images.resize import resize
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.errors import InputError

__all__ = [
    "ImageData",
    "Part",
    "channel_statistics",
    "describe_images",
    "largest_share",
    "load_images",
    "stratified_split",
    "without_content",
]


def load_images(
    name: str,
    *,
    data_dir: str | None = None,
    download: bool = False,
    image_size: int | None = None,
    stream: bool = False,
) -> ImageData:
    """Loads the images called `name`; of the test part nothing is decoded yet.

    Args:
      name: "digits" (embedded), "folder" (the user's own, in `data_dir`),
        "imagenet16_120" (a part of one of TFDS's), or any image
        classification set of TensorFlow Datasets.
      data_dir: the user's folder, or the folder that holds TFDS's prepared
        sets (None: TFDS's own default place).
      download: whether TFDS may fetch and prepare a set that is not there.
      image_size: pixels; every image is scaled to this height and width,
        whatever its proportions. None: images stay as they are.
      stream: whether images stay in the files of TFDS's prepared set and are
        read as they are used (streamed_batches.py). With an image_size they
        then keep their proportions: their centre is measured, and a resized
        crop is one of the original image (decode_and_crop.py).

    Raises:
      InputError: an unknown name, data that is not there or not fit for
        classification, images of several sizes without `image_size`, or more
        of them than memory can hold.
    """
    if image_size is not None and not _is_size(image_size):
        raise InputError(
            f"`image_size` must be a whole number of at least 1 pixel; received "
            f"{image_size!r}"
        )
    if name in ("digits", "folder") and download:
        raise InputError(
            f"`dataset={name}` has nothing to download; leave `download` out"
        )
    if stream and name in ("digits", "folder", imagenet16.NAME):
        raise InputError(
            f"`dataset={name}` is held in memory; `stream` is for the sets of "
            f"TensorFlow Datasets: leave it out"
        )
    if name == "digits":
        return _digits(data_dir, image_size)
    if name == "folder":
        return load_folder(data_dir, image_size)
    if name == imagenet16.NAME:
        return imagenet16.load_imagenet16(data_dir, download, image_size)
    return load_prepared(name, data_dir, download, image_size, stream=stream)


def describe_images(
    name: str, *, data_dir: str | None = None, image_size: int | None = None
) -> tuple[tuple[int, int, int], int]:
    """Returns (H, W, C) and the number of classes; a TFDS set is not read.

    Arguments and errors as in `load_images`.
    """
    if name in ("digits", "folder"):
        data = load_images(name, data_dir=data_dir, image_size=image_size)
        return data.image_shape, data.num_classes
    if name == imagenet16.NAME:
        source, classes = imagenet16.SOURCE, imagenet16.CLASSES
    else:
        source, classes = name, None
    return describe_prepared(source, data_dir, image_size, classes)


def _is_size(value) -> bool:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return whole and int(value) >= 1


def _digits(data_dir: str | None, image_size: int | None) -> ImageData:
    if data_dir is not None:
        raise InputError(
            f"`dataset=digits` comes with the package and reads no folder; "
            f"leave `data_dir` out; received {data_dir}"
        )
    data = load_digits()
    if image_size is None:
        return data
    return dataclasses.replace(
        data,
        train=_resized(data.train, image_size),
        read_test=lambda: _resized(data.load_test(), image_size),
        scaling="whole",
    )


def _resized(part: Part | StreamedPart, size: int) -> Part:
    assert isinstance(part, Part)
    return Part(resize(part.images, size).numpy(), part.labels)
