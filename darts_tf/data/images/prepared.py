"""Loads image classification sets of TensorFlow Datasets by name.

Departures: a set without a test split is tested on its "validation" split,
and one without either on a fixed stratified fifth of "train". A test split
without labels, as ImageNet's, counts as none.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from darts_tf.data.available_memory import require_memory
from darts_tf.data.images.dataset import ImageData, split_off_test
from darts_tf.data.images.splits import FirstClasses, Source, Streamed, first_line
from darts_tf.data.text.loading import NAMES as TEXT_NAMES
from darts_tf.errors import InputError

OTHER_NAMES = ("digits", "folder", "imagenet16_120", *TEXT_NAMES)
"""Names of sets that TFDS does not know."""

SMALLER = "give a smaller `image_size`"
STREAM = f"{SMALLER}, or `stream` to read images from their files as they are used"
"""Remedies for a set that does not fit in memory."""


def load_prepared(
    name: str,
    data_dir: str | None,
    download: bool,
    image_size: int | None,
    classes: int | None = None,
    stream: bool = False,
) -> ImageData:
    """Loads the TFDS set called `name`; arguments and errors as in `load_images`.

    With `classes` only the first so many of its classes, in memory.
    """
    with _quiet():
        return _load(name, data_dir, download, image_size, classes, stream)


def describe_prepared(
    name: str,
    data_dir: str | None,
    image_size: int | None,
    classes: int | None = None,
) -> tuple[tuple[int, int, int], int]:
    """Returns (H, W, C) and the number of classes, of a set prepared or not."""
    with _quiet():
        info = _builder(name, data_dir).info
        image, label = _keys(info, name)
        shape = _shape(info.features[image], name, image_size)
        return shape, classes or info.features[label].num_classes


def survey_prepared(
    name: str, data_dir: str | None, download: bool, classes: int | None = None
) -> dict:
    """Describes a set that is prepared or is downloaded for it; reads no image.

    Returns:
      classes, train (images), smallest_class (None: not known), height and width
      (None where images have several sizes), one_size, channels.

    Raises:
      InputError: no such set, not prepared, or none for classification.
    """
    with _quiet():
        builder = _builder(name, data_dir)
        image, label = _keys(builder.info, name)
        shape = _shape(builder.info.features[image], name, None, False)
        height, width, channels = shape
        _require_prepared(builder, name, data_dir, download)
        info = builder.info
        total = info.features[label].num_classes
        train = info.splits["train"].num_examples if "train" in info.splits else 0
        return {
            "classes": classes or total,
            "train": train * (classes or total) // total,
            "smallest_class": None,
            "height": height,
            "width": width,
            "one_size": height is not None and width is not None,
            "channels": channels,
        }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences TFDS, which logs its every step."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _load(
    name, data_dir, download: bool, image_size, classes, stream: bool
) -> ImageData:
    builder = _builder(name, data_dir)
    image, label = _keys(builder.info, name)  # before anything is downloaded
    shape = _shape(builder.info.features[image], name, image_size)
    _require_prepared(builder, name, data_dir, download)
    arguments = (builder, image, label, shape, image_size)
    splits = builder.info.splits
    if "train" not in splits:
        raise InputError(
            f"{name}: there is no split 'train', only "
            f"{', '.join(sorted(splits)) or 'none at all'}; choose another set"
        )
    if stream:
        streamed = Streamed(*arguments)
        train, read_test = _streamed_parts(streamed, splits)
        scaling = "none" if image_size is None else "centre"
        return ImageData(name, streamed.class_names, train, read_test, scaling=scaling)
    source = FirstClasses(*arguments, classes) if classes else Source(*arguments)
    remedy = SMALLER if classes else STREAM
    require_memory(name, source.expected_size("train"), source.shape, remedy)
    train, read_test = _parts(source, splits)
    scaling = "none" if image_size is None else "whole"
    return ImageData(name, source.class_names, train, read_test, scaling=scaling)


def _parts(source: Source, splits):
    """Returns the training part, and a function that reads the test part."""
    split = _test_split(source, splits)
    if split is not None:
        return source.read("train"), lambda: source.read(split)
    everything = source.read("train")
    train, test = split_off_test(everything.labels, source.class_names)
    return everything.take(train), lambda: source.read("train").take(test)


def _test_split(source: Source, splits) -> str | None:
    """Returns the first split for tests that does not hide its labels."""
    names = [name for name in ("test", "validation") if name in splits]
    return next(filter(source.labelled, names), None)


def _streamed_parts(source: Streamed, splits):
    """Returns the same as `_parts`; reads the labels of both parts at once.

    This costs little, and a training of days must not end without a test part.
    """
    split = _test_split(source, splits)
    if split is not None:
        test = source.read(split)
        return source.read("train"), lambda: test
    everything = source.read("train")
    train, test_rows = split_off_test(everything.labels, source.class_names)
    return everything.take(train), lambda: everything.take(test_rows)


def _builder(name: str, data_dir: str | None) -> Any:
    """Finds TFDS's builder of a set, prepared or not."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import registered

    community = ":" in name and not name.partition(":")[2][:1].isdigit()
    try:
        if community:
            raise registered.DatasetNotFoundError(name)
        return tfds.builder(name, data_dir=data_dir)
    except registered.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name, [*known, *OTHER_NAMES], n=3)
        closest = f" (closest: {', '.join(near)})" if near else ""
        raise InputError(
            f"unknown data set {name!r}{closest}; give 'digits', 'folder' or "
            "the name of a TFDS set"
        ) from error
    except (AssertionError, ValueError, OSError) as error:
        raise InputError(
            f"dataset {name!r} cannot be opened: {first_line(error)}; check "
            "its configuration, version and folder"
        ) from error


def _require_prepared(builder, name, data_dir, download: bool) -> None:
    """Makes sure that the set is on disk, by download if that is allowed."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import constants

    if builder.is_prepared():
        return
    if not download:
        place = data_dir or constants.DATA_DIR
        raise InputError(
            f"{name} is not prepared in {place}; give `data_dir`, a folder that "
            "has it, or `download` to fetch it"
        )
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        builder.download_and_prepare(download_config=config)
    except (
        AssertionError,  # TFDS: files that must be fetched by hand
        ImportError,
        OSError,
        tfds.download.DownloadError,
    ) as error:
        raise InputError(
            f"{name} could not be downloaded: {first_line(error)}; give "
            "`data_dir`, a folder that has it"
        ) from error


def _keys(info, name: str) -> tuple[str, str]:
    """Returns the keys of the features that are the image and its class."""
    import tensorflow_datasets as tfds

    features = info.features
    keys = info.supervised_keys or ()
    if len(keys) != 2 or not all(isinstance(key, str) for key in keys):
        keys = (
            *_only(features, tfds.features.Image),
            *_only(features, tfds.features.ClassLabel),
        )
    if (
        len(keys) != 2
        or not isinstance(features[keys[0]], tfds.features.Image)
        or not isinstance(features[keys[1]], tfds.features.ClassLabel)
    ):
        raise InputError(
            f"{name} is no image classification set: its features are "
            f"{', '.join(features)}; choose one with an image and a class label"
        )
    return keys


def _only(features, kind) -> tuple[str, ...]:
    """Returns the key of the only feature of a kind; () if there are several."""
    keys = tuple(k for k, f in features.items() if isinstance(f, kind))
    return keys if len(keys) == 1 else ()


def _shape(image, name: str, size: int | None, fixed: bool = True) -> tuple:
    """Returns the (H, W, C) of the images once read.

    With fixed=False, H and W are None where images have several sizes.
    """
    *height_width, channels = image.shape
    if image.dtype not in (np.uint8, tf.uint8) or channels is None:
        raise InputError(
            f"{name}: images must be uint8 with a fixed number of channels; "
            f"received {image.dtype} {tuple(image.shape)}; choose another set"
        )
    if size is not None:
        return size, size, channels
    if None in height_width and fixed:
        raise InputError(
            f"{name}: its images have several sizes; give `image_size` to "
            "scale all to one"
        )
    return (*height_width, channels)
