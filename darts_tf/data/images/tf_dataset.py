"""Reads tf.data Datasets of images and labels into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.data.available_memory import require_memory
from darts_tf.data.images.arrays import (
    TOO_LARGE,
    image_data_from_parts,
    images_from_array,
    labels_from_array,
    refuse_dark,
)
from darts_tf.data.images.dataset import ImageData, Part
from darts_tf.data.images.splits import READ_BATCH, first_line
from darts_tf.errors import InputError

CHANNELS = 1, 3, 4
"""Last sizes by which [H, W, C] is told from a batch of grey images [B, H, W]."""


def image_data_from_dataset(
    train, *, test=None, class_names: Sequence[str] | None = None
) -> ImageData:
    """Makes a data set of tf.data Datasets; see `darts_tf.data.from_dataset`."""
    checked = _in_batches(train, "`train`")
    checked_test = None if test is None else _in_batches(test, "`test`")
    train_part = _read(checked, "`train`")
    test_part = None if checked_test is None else _read(checked_test, "`test`")
    return image_data_from_parts("dataset", train_part, test_part, class_names)


def _in_batches(dataset, name: str) -> tf.data.Dataset:
    """Checks a Dataset without reading it; returns it in batches."""
    if not isinstance(dataset, tf.data.Dataset):
        raise InputError(
            f"{name} must be a tf.data.Dataset; received {type(dataset).__name__} "
            "(arrays: from_arrays)"
        )
    batched = _is_batched(dataset.element_spec, name)
    count = int(dataset.cardinality())
    if count == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"{name} never ends; leave out repeat(), or add take(n)")
    if count == tf.data.UNKNOWN_CARDINALITY:
        raise InputError(
            f"{name} does not know its size; append "
            ".apply(tf.data.experimental.assert_cardinality(n)), with n its "
            "number of elements"
        )
    if count == 0:
        raise InputError(f"{name} is empty; give at least one image")
    return dataset if batched else dataset.batch(READ_BATCH)


def _is_batched(spec, name: str) -> bool:
    """Checks shapes and dtypes of the elements; True if they are batches."""
    pair = isinstance(spec, tuple) and len(spec) == 2
    if not pair or not all(isinstance(part, tf.TensorSpec) for part in spec):
        raise InputError(
            f"{name} must give pairs (image, label) of tensors; received "
            f"{_describe(spec)} (of TFDS: as_supervised=True)"
        )
    image, label = spec
    if image.dtype == tf.string:
        raise InputError(
            f"{name} gives text, and images are expected; decode them "
            "(tf.io.decode_image), or read text by from_text"
        )
    if image.shape.rank is None or label.shape.rank is None:
        raise _unknown_shape(name, image.shape)
    batched = image.shape.rank == 4 or (
        image.shape.rank == 3
        and label.shape.rank > 0
        and image.shape[0] == label.shape[0]
        and image.shape[2] not in CHANNELS
    )
    sizes = image.shape[1:] if batched else image.shape
    if None in sizes.as_list():
        raise _unknown_shape(name, image.shape)
    if sizes.rank not in (2, 3) or label.shape.rank - batched not in (0, 1):
        raise InputError(
            f"{name} must give images [H, W, C] or [H, W] with labels [], or "
            f"batches of them; received shapes {image.shape} and {label.shape}"
        )
    return batched


def _unknown_shape(name: str, shape: tf.TensorShape) -> InputError:
    return InputError(
        f"{name} does not know the shape of its images, {shape}; append "
        ".map(lambda x, y: (tf.ensure_shape(x, [H, W, C]), y)), or scale them by "
        "tf.image.resize"
    )


def _describe(spec) -> str:
    if isinstance(spec, dict):
        return f"a dict of {', '.join(map(repr, spec))}"
    if isinstance(spec, tuple):
        return f"a tuple of {len(spec)}"
    return type(spec).__name__


def _read(dataset: tf.data.Dataset, name: str) -> Part:
    """Reads all batches; each is converted to uint8 as it comes."""
    pixels, labels, shape = bytearray(), [], ()
    try:
        for x, y in dataset.as_numpy_iterator():
            if not labels:
                most = int(dataset.cardinality()) * len(x)
                height, width, channels = (*x.shape[1:], 1)[:3]
                require_memory(name, most, (height, width, channels), TOO_LARGE)
            images = images_from_array(x, f"{name}: image")
            pixels += images.data.cast("B")
            labels.append(labels_from_array(y, f"{name}: label"))
            shape = images.shape[1:]
    except tf.errors.OpError as error:
        raise InputError(
            f"{name} cannot be read: {first_line(error)}; mend that Dataset"
        ) from error
    if not labels:
        raise InputError(f"{name} is empty; give at least one image")
    together = np.concatenate(labels)
    images = np.frombuffer(pixels, np.uint8).reshape(-1, *shape)
    if len(images) != len(together):
        raise InputError(
            f"{name} gives {len(images)} images and {len(together)} labels; "
            "give one label for each image"
        )
    refuse_dark(images, x.dtype, name)
    return Part(images, together)
