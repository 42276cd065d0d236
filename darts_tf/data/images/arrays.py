"""Makes data sets of arrays, and checks that they are images and labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from absl import logging

from darts_tf.data.available_memory import require_memory
from darts_tf.data.images import digests
from darts_tf.data.images.dataset import ImageData, Part, split_off_test
from darts_tf.errors import InputError, shorten

ROWS = 256  # images that are converted at once
FEWEST_A_CLASS = 3  # of which split_off_test makes two and one
CHANNELS = (1, 3, 4)
"""Sizes of a first axis that are channels where the last one's is none of them."""

DARKEST = 3
"""Largest pixel of 8 bits of floats that seem to be scaled twice."""

TOO_LARGE = "give fewer or smaller images"


def image_data_from_arrays(
    x, y, *, test=None, class_names: Sequence[str] | None = None
) -> ImageData:
    """Makes a data set of arrays; see `darts_tf.data.from_arrays`."""
    train = part_from_arrays(x, y)
    test_part = None
    if test is not None:
        test_part = part_from_arrays(*_pair(test), prefix="test ")
    return image_data_from_parts("arrays", train, test_part, class_names)


def image_data_from_parts(
    name: str, train: Part, test: Part | None, class_names: Sequence[str] | None
) -> ImageData:
    """Makes a data set of checked parts.

    Args:
      name: of the set.
      train: its training part.
      test: its test part; None: a fixed stratified fifth of `train`.
      class_names: one a class; None: "0", "1", ...

    Raises:
      InputError: labels and names do not fit each other, there is one class
        only, the parts differ in shape or classes, or no test part can be cut.
    """
    names = _class_names(train.labels, class_names)
    if test is None:
        train, test = _split(train, names)
    else:
        _require_same_kind(train, test, len(names))
    for remark in _remarks(train, test, names):
        logging.warning("%s", remark)
    fingerprint = fingerprint_of(train, test, names)
    return ImageData(name, names, train, lambda: test, fingerprint)


def _remarks(train: Part, test: Part, names: Sequence[str]) -> list[str]:
    """Returns lines on images that are there twice and on classes without a test."""
    untested = [name for i, name in enumerate(names) if i not in test.labels]
    lines = digests.remarks(
        map(digests.digest, train.images),
        train.labels,
        map(digests.digest, test.images),
        test.labels,
    )
    if untested:
        shown = shorten(", ".join(map(repr, untested)), 120)
        lines.append(f"the test part has no image of class {shown}")
    return lines


def fingerprint_of(train: Part, test: Part, class_names: Sequence[str]) -> str:
    """Returns 16 hexadecimal digits that change with any pixel, label or name."""
    digest = hashlib.sha256(repr(tuple(class_names)).encode())
    for part in (train, test):
        digest.update(repr(part.images.shape).encode())
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(np.ascontiguousarray(part.labels).data)
    return digest.hexdigest()[:16]


def part_from_arrays(x, y, *, prefix: str = "") -> Part:
    """Checks images and labels, and copies them into a Part.

    Args:
      x: images [N, H, W, C] or [N, H, W]; see `images_from_array`.
      y: labels [N] or [N, 1]; see `labels_from_array`.
      prefix: stands before `x` and `y` in messages ("test ").

    Raises:
      InputError: see both, or their lengths differ, or images do not fit in
        memory.
    """
    image_name, label_name = f"{prefix}`x`", f"{prefix}`y`"
    x = _as_array(x, image_name)
    images = images_from_array(x, image_name)
    refuse_dark(images, x.dtype, image_name)
    labels = labels_from_array(y, label_name)
    if len(images) != len(labels):
        raise InputError(
            f"{image_name} has {len(images)} images and {label_name} "
            f"{len(labels)} labels; give one label for each image"
        )
    return Part(images, labels)


def images_from_array(x, name: str) -> np.ndarray:
    """Copies images to uint8 [N, H, W, C].

    Args:
      x: [N, H, W, C] or [N, H, W] (grey): uint8, other whole numbers 0 to 255,
        or floats in [0, 1].
      name: in messages.

    Raises:
      InputError: another shape, dtype or range; NaN; nothing; or too much for
        memory.
    """
    array = _as_array(x, name)
    if array.ndim not in (3, 4):
        raise InputError(
            f"{name} must have shape [N, H, W, C], or [N, H, W] for grey "
            f"images; received {list(array.shape)}"
        )
    if not array.size:
        raise InputError(
            f"{name} is empty, of shape {list(array.shape)}; give at least one "
            f"image of at least one pixel"
        )
    if array.ndim == 3:
        array = array[..., np.newaxis]
    _refuse_channels_first(array.shape, name)
    require_memory(name, len(array), array.shape[1:], TOO_LARGE)
    scale = _pixel_scale(array, name)
    images = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), ROWS):
        rows = slice(start, start + ROWS)
        images[rows] = array[rows] if scale == 1 else np.rint(array[rows] * scale)
    return images


def _refuse_channels_first(shape: Sequence[int], name: str) -> None:
    """Refuses [N, C, H, W], as PyTorch has it, where it can be told."""
    _, first, height, width = shape
    square = first == 1 and height == width  # else: signals, of height 1
    if first in CHANNELS and width not in (*CHANNELS, 2) and (first > 1 or square):
        raise InputError(
            f"{name} of shape {list(shape)} seems to have its channels before height "
            "and width; move them to the end (numpy.moveaxis(x, 1, -1))"
        )


def _pixel_scale(array: np.ndarray, name: str) -> int:
    """Returns the factor from the array's values to 0..255; refuses others."""
    if array.dtype.kind in "ui":
        low, high, scale, largest = array.min(), array.max(), 1, 255
    elif array.dtype.kind == "f":
        low, high, scale, largest = array.min(), array.max(), 255, 1
    else:
        text = array.dtype.kind in "SUT" or array.dtype == object
        raise InputError(
            f"{name} must hold pixels, uint8 or floats in [0, 1]; received "
            f"{array.dtype}{' (text: use from_text)' if text else ''}"
        )
    if not np.isfinite([low, high]).all():  # both NaN if any value is
        raise InputError(
            f"{name} has values that are NaN or infinite; remove those images"
        )
    if low < 0 or high > largest:
        kind, mend = ("whole numbers", "0 to 255")
        if scale != 1:
            kind, mend = ("floats", "in [0, 1] (divide by 255?), or uint8 0 to 255")
        raise InputError(
            f"{name} has {kind} from {low:g} to {high:g}; give pixels {mend}"
        )
    return scale


def refuse_dark(images: np.ndarray, dtype: np.dtype, name: str) -> None:
    """Refuses images, uint8, made of floats of which 8 bits keep nearly nothing."""
    if dtype.kind == "f" and 0 < images.max() <= DARKEST:
        raise InputError(
            f"{name} has floats of at most {images.max() / 255:.2g}, of which 8 bits "
            "keep nearly nothing; give pixels in [0, 1] (divided by 255 twice?)"
        )


def labels_from_array(y, name: str) -> np.ndarray:
    """Copies labels to int32 [N].

    Args:
      y: integers [N] or [N, 1], none of them negative.
      name: in messages.

    Raises:
      InputError: another shape (as one-hot rows), dtype or range.
    """
    array = _as_array(y, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        one_hot = array.ndim == 2
        raise InputError(
            f"{name} must have shape [N] or [N, 1]; received "
            f"{list(array.shape)}{'; for one-hot rows give y.argmax(1)' * one_hot}"
        )
    if array.size and array.dtype.kind not in "ui":
        mend = "; give numpy.unique(y, return_inverse=True)[1]"
        raise InputError(
            f"{name} must hold class numbers, integers from 0; received {array.dtype}"
            f"{mend if array.dtype.kind in 'SUTO' else ''}"
        )
    if array.size and (array.min() < 0 or array.max() >= 2**31):
        raise InputError(
            f"{name} has labels from {array.min()} to {array.max()}; number "
            f"the classes from 0"
        )
    return array.astype(np.int32)


def _as_array(values, name: str) -> np.ndarray:
    if np.ma.is_masked(values):
        raise InputError(f"{name} has masked values; fill them, or leave them out")
    try:
        array = np.asarray(values)
        if array.ndim == 0 and array.dtype == object:  # None, a generator, a set, ...
            raise TypeError("no sequence")
        return array
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} is no array ({type(values).__name__}); give images of one "
            "size as a NumPy array, and a label for each"
        ) from error


def _pair(test) -> tuple:
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise InputError(
            f"`test` must be a pair (x, y); received {type(test).__name__}"
        )
    return tuple(test)


def _class_names(labels: np.ndarray, names: Sequence[str] | None) -> tuple[str, ...]:
    """Checks that training labels and class names fit each other."""
    present = np.unique(labels)
    if len(present) < 2:
        raise InputError(
            f"all labels are {present[0]}; classification needs at least two classes"
        )
    if names is None:
        if present[-1] != len(present) - 1:
            missing = np.flatnonzero(present != np.arange(len(present)))[0]
            raise InputError(
                f"labels go from {present[0]} to {present[-1]}, but no image has "
                f"label {missing}; number the classes from 0 without gaps, or "
                "give `class_names`"
            )
        return tuple(map(str, present))
    listed = isinstance(names, Sequence | np.ndarray) and not isinstance(names, str)
    if not listed or not all(isinstance(name, str) for name in names):
        raise InputError(
            "`class_names` must be a list of names, one string a class; "
            f"received {names!r:.60}"
        )
    if len(set(names)) < len(names):
        raise InputError("`class_names` has a name twice; give each class its own")
    if unreadable := [
        name for name in names if not (name.isprintable() and name.strip())
    ]:
        raise InputError(
            f"`class_names` has {unreadable[0]!r:.60}, which cannot be printed or is "
            "blank; give names that can be read"
        )
    if present[-1] >= len(names):
        raise InputError(
            f"labels go up to {present[-1]}, but `class_names` has "
            f"{len(names)}; labels must be 0 to {len(names) - 1}"
        )
    return tuple(map(str, names))


def _split(part: Part, names: Sequence[str]) -> tuple[Part, Part]:
    """Cuts the test part off."""
    numbers, counts = np.unique(part.labels, return_counts=True)
    if counts.min() < FEWEST_A_CLASS:
        fewest = names[numbers[counts.argmin()]]
        raise InputError(
            f"class {fewest!r} has {counts.min()} examples, too few to cut a test part "
            f"off; give at least {FEWEST_A_CLASS} of each class, or `test`"
        )
    train_rows, test_rows = split_off_test(part.labels, names)
    return part.take(train_rows), part.take(test_rows)


def _require_same_kind(train: Part, test: Part, classes: int) -> None:
    """Refuses a test part of another image shape or with other classes."""
    if test.image_shape != train.image_shape:
        raise InputError(
            f"`test` has images of {list(test.image_shape)}, the training part "
            f"of {list(train.image_shape)} (H, W, C); give the same shape"
        )
    if test.labels.max() >= classes:
        raise InputError(
            f"`test` has label {test.labels.max()}, but there are {classes} "
            f"classes; labels must be 0 to {classes - 1}"
        )
