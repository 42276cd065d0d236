"""Data sets: by name, from arrays, folders, TensorFlow Datasets or tf.data.

Every function returns an `ImageData` or a `TextData`. Importing this module
does not load TensorFlow; its functions do.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from darts_tf.errors import InputError, require_bool
from darts_tf.reading import existing_folder

if TYPE_CHECKING:
    import tensorflow as tf

    from darts_tf.data.images.dataset import ImageData
    from darts_tf.data.text.dataset import TextData

__all__ = [
    "ImageData",
    "TextData",
    "from_arrays",
    "from_dataset",
    "from_folder",
    "from_text",
    "from_tfds",
    "load",
]

_CLASSES = {
    "ImageData": "darts_tf.data.images.dataset",
    "TextData": "darts_tf.data.text.dataset",
}


def __getattr__(name: str):
    if name not in _CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_CLASSES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load(
    name: str,
    *,
    data_dir: str | os.PathLike | None = None,
    download: bool = False,
    image_size: int | None = None,
    stream: bool = False,
) -> ImageData | TextData:
    """Loads the data set called `name`; its test part is not decoded yet.

    Args:
      name: "digits" (embedded), "folder" (your images in `data_dir`),
        "imagenet16_120", any image classification set of TensorFlow Datasets,
        "python_topics" (text, comes with Python) or "text_folder" (your text
        in `data_dir`).
      data_dir: your folder, or the one that holds TFDS's prepared sets (None:
        TFDS's default).
      download: whether TFDS may fetch and prepare a set that is not there.
      image_size: pixels; images are scaled to this height and width.
      stream: whether images stay in TFDS's files and are read as they are used.

    Raises:
      InputError: an unknown name, data that is missing, unreadable or too
        large for memory, or an argument that does not apply to the set.
    """
    from darts_tf.data.text.loading import NAMES, load_text

    _require_name(name)
    require_bool("download", download)
    require_bool("stream", stream)
    if name in NAMES:
        _refuse_image_arguments(name, download, image_size, stream)
        return load_text(name, None if data_dir is None else os.fspath(data_dir))
    return _load_images(name, data_dir, download, image_size, stream)


def from_arrays(
    x, y, *, test=None, class_names: Sequence[str] | None = None
) -> ImageData:
    """Makes a data set of images and labels in memory; both are copied.

    Args:
      x: images [N, H, W, C], or [N, H, W] for grey ones: uint8, other whole
        numbers 0 to 255, or floats in [0, 1], which are multiplied by 255 and
        rounded.
      y: class numbers from 0, integers [N] or [N, 1].
      test: (x, y) of the test part, in the same form. None: a fixed
        stratified fifth of the images is cut off as the test part.
      class_names: one a class, in the order of the numbers; None: "0", "1", ...

    Returns:
      an ImageData with a `fingerprint`, a hash of its contents.

    Raises:
      InputError: another dtype, shape or range, NaN, lengths that differ, one
        class only, labels without a name, gaps between labels that have no
        names, too few examples for a test part, or too many for memory.
    """
    from darts_tf.data.images.arrays import image_data_from_arrays

    return image_data_from_arrays(x, y, test=test, class_names=class_names)


def from_dataset(
    train: tf.data.Dataset,
    *,
    test: tf.data.Dataset | None = None,
    class_names: Sequence[str] | None = None,
) -> ImageData:
    """Reads tf.data Datasets of (image, label) pairs into memory, once.

    Give them unaugmented and in a fixed order, without shuffle() and repeat():
    the order is part of the fingerprint by which a run recognises its data.

    Args:
      train: pairs (image [H, W, C] or [H, W], label [] or [1]), or batches of
        them, of known finite cardinality and static H, W and C; dtypes and
        ranges as in `from_arrays`.
      test: the test part; None: as in `from_arrays`.
      class_names: as in `from_arrays`.

    Returns:
      an ImageData with a `fingerprint`, a hash of its contents.

    Raises:
      InputError: other elements, an unknown or infinite cardinality, an
        unknown shape, elements that cannot be read, or as in `from_arrays`.
    """
    from darts_tf.data.images.tf_dataset import image_data_from_dataset

    return image_data_from_dataset(train, test=test, class_names=class_names)


def from_folder(path: str | os.PathLike, *, image_size: int | None = None) -> ImageData:
    """Reads images from `path`/<class>/*.png, or `path`/{train,test}/<class>/*.png.

    Logs what serves as what and how many files are left out.

    Args:
      path: the folder. All formats that Pillow decodes are read, nested folders
        too. The test part is test/, else val/ or validation/, else a fixed
        stratified fifth of the images. Transparent pixels are laid over white.
      image_size: pixels; images are scaled to this height and width. None:
        they must all have one size.

    Raises:
      InputError: no such folder, fewer than two classes, a class too small for
        a test part, unreadable files, several sizes, or more images than fit in
        memory.
    """
    _require_folder(path)
    return _load_images("folder", path, False, image_size, False)


def from_tfds(
    name: str,
    *,
    data_dir: str | os.PathLike | None = None,
    download: bool = False,
    image_size: int | None = None,
    stream: bool = False,
) -> ImageData:
    """Loads an image classification set of TensorFlow Datasets; see `load`.

    Args:
      name: TFDS's, as "cifar10", "imagenet_resized/32x32" or "mnist:3.0.1".
      data_dir: the folder of prepared sets; None: TFDS's default.
      download: whether TFDS may fetch and prepare a set that is not there.
      image_size: pixels; images are scaled to this height and width.
      stream: whether images stay in TFDS's files and are read as they are used.

    Raises:
      InputError: an unknown name, a set that is not prepared or has no image
        and label, or as in `load`.
    """
    from darts_tf.data.text.loading import NAMES

    _require_name(name)
    require_bool("download", download)
    require_bool("stream", stream)
    if name in ("digits", "folder", *NAMES):
        raise InputError(
            f"{name!r} is no set of TensorFlow Datasets; give it to load()"
        )
    return _load_images(name, data_dir, download, image_size, stream)


def from_text(path: str | os.PathLike) -> TextData:
    """Reads text from `path`/train.txt, valid.txt and test.txt.

    Args:
      path: the folder. Files are UTF-8 with words separated by white space,
        one sentence or paragraph a line.

    Raises:
      InputError: no such folder, or a file that is missing, empty or not UTF-8.
    """
    _require_folder(path)
    from darts_tf.data.text.loading import load_text

    return load_text("text_folder", os.fspath(path))


def _load_images(name, data_dir, download, image_size, stream) -> ImageData:
    from darts_tf.data.images.loading import load_images

    return load_images(
        name,
        data_dir=None if data_dir is None else os.fspath(data_dir),
        download=download,
        image_size=image_size,
        stream=stream,
    )


def _require_name(name) -> None:
    if not isinstance(name, str):
        raise InputError(
            f"`name` must be the name of a data set; received "
            f"{type(name).__name__} (arrays: from_arrays, a tf.data.Dataset: "
            "from_dataset)"
        )


def _require_folder(path) -> None:
    if not isinstance(path, str | os.PathLike):
        raise InputError(
            f"`path` must name a folder; received {type(path).__name__} "
            "(arrays: from_arrays, a tf.data.Dataset: from_dataset)"
        )
    existing_folder(path, "path")


def _refuse_image_arguments(name, download, image_size, stream) -> None:
    wrong = [
        argument
        for argument, value in (
            ("download", download),
            ("image_size", image_size is not None),
            ("stream", stream),
        )
        if value
    ]
    if wrong:
        raise InputError(
            f"{name!r} is text, and `{wrong[0]}` is for images; leave it out"
        )
