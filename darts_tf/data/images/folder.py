"""Reads a user's own images from one folder a class; see class_folders.py.

All files are decoded at the start, those of the test part too, so that a
damaged one ends no training at its last step. Pixels of test images are held
by `load_test` alone.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import tqdm
from absl import logging

from darts_tf.data.available_memory import require_memory
from darts_tf.data.images import decoding, digests
from darts_tf.data.images.class_folders import Files, Layout, find
from darts_tf.data.images.dataset import ImageData, Part, split_off_test
from darts_tf.data.images.decoding import BACKGROUND, BITS, Header, UnreadableImage
from darts_tf.errors import InputError, shorten
from darts_tf.reading import existing_folder

T = TypeVar("T")
MANY = 64  # files that are read at once, in threads
SHOWN = 2_000
"""Files from which on a terminal shows how far their reading is."""


def load_folder(data_dir: str | None, image_size: int | None) -> ImageData:
    """Reads the images in a user's folder; errors as in `load_images`.

    Class names are the folders', sorted. Images have one channel if all are
    grey, else three. Logs what serves as what, what is left out, and what is
    lost of transparent, deep or animated images.
    """
    root = root_of(data_dir)
    layout = find(root)
    for remark in layout.remarks:
        logging.warning("%s", remark)
    train, test = parts_of(layout)
    paths = (*train.paths, *test.paths)
    headers = dict(
        zip(paths, _each(decoding.read_header, paths, "headers"), strict=True)
    )
    shape = _shape(root, headers.values(), image_size)
    require_memory(str(root), len(train.paths), shape)
    bits = _bits([path for path in train.paths if headers[path].deep])
    for remark in _losses(root, headers.values(), bits):
        logging.warning("%s", remark)
    reader = _Reader(shape, image_size, bits)
    images = reader.read(train)
    trained, tested = [*map(digests.digest, images.images)], reader.try_all(test)
    for remark in digests.remarks(trained, train.labels, tested, test.labels):
        logging.warning("%s: %s", root, remark)
    parts = (trained, train.labels), (tested, test.labels)
    return ImageData(
        "folder",
        layout.class_names,
        images,
        lambda: reader.read(test),
        digests.fingerprint(layout.class_names, parts),
        scaling="none" if image_size is None else "whole",
        example_file=str(test.paths[0].absolute()),
    )


def root_of(data_dir: str | None) -> pathlib.Path:
    """Returns the user's folder; raises InputError where there is none."""
    if data_dir is None:
        raise InputError("`dataset=folder` needs `data_dir`, the folder of your images")
    return existing_folder(data_dir, "data_dir")


def parts_of(layout: Layout) -> tuple[Files, Files]:
    """Returns the files of the training part and of the test part."""
    if layout.test is not None:
        return layout.train, layout.test
    train, test = split_off_test(layout.train.labels, layout.class_names)
    return layout.train.take(train), layout.train.take(test)


def _each(
    read: Callable[[pathlib.Path], T], paths: Sequence[pathlib.Path], what: str
) -> Iterator[T]:
    """Yields what `read` returns for each path; refuses those that it cannot read.

    A terminal shows how far it is with `what`.
    """
    bad: list[tuple[pathlib.Path, str]] = []

    def one(path: pathlib.Path) -> tuple[T | None, str]:
        try:
            return read(path), ""
        except UnreadableImage as error:
            return None, str(error) or "unreadable"

    hidden = len(paths) < SHOWN or sys.stderr is None or not sys.stderr.isatty()
    bar = tqdm.tqdm(total=len(paths), desc=what, leave=False, disable=hidden)
    with decoding.bombs_refused(), ThreadPoolExecutor() as pool, bar:
        for start in range(0, len(paths), MANY):
            some = paths[start : start + MANY]
            for path, (value, reason) in zip(some, pool.map(one, some)):
                if reason:
                    bad.append((path, reason))
                else:
                    yield value  # type: ignore[misc]
            bar.update(len(some))
    if bad:
        raise _unreadable(bad)


def _unreadable(bad: list[tuple[pathlib.Path, str]]) -> InputError:
    path, reason = bad[0]
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return InputError(
        f"{len(bad)} unreadable image file{'s' * (len(bad) > 1)}: {path} "
        f"({shorten(reason, 90)}){more}; remove or replace them"
    )


def _shape(
    root: pathlib.Path, headers: Iterable[Header], size: int | None
) -> tuple[int, int, int]:
    """Returns the (H, W, C) that all images will have once read."""
    channels = 1 if all(header.grey for header in headers) else 3
    if size is not None:
        return size, size, channels
    sizes = sorted({(header.height, header.width) for header in headers})
    if len(sizes) > 1:
        raise InputError(
            f"{root}: images have {len(sizes)} sizes, from "
            f"{_format(sizes[0])} to {_format(sizes[-1])} (height x width); give "
            "`image_size` to scale all to one"
        )
    return (*sizes[0], channels)


def _format(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _bits(deep: list[pathlib.Path]) -> int:
    """Returns the bits that the deep images of the training part make use of."""
    largest = max(
        _each(decoding.largest_value, deep, "deep images"), default=2**BITS - 1
    )
    return max(8, largest.bit_length())


def _losses(root: pathlib.Path, headers: Iterable[Header], bits: int) -> list[str]:
    """Returns a line for each way in which pixels differ from the files'."""
    texts = {
        "transparent": f"may be transparent: laid over {BACKGROUND}",
        "deep": (
            f"have 16 bits, of which the training part uses {bits}: the highest 8 of "
            "those are kept"
        ),
        "shortened": "have 16 bits a channel: the highest 8 are kept",
        "animated": "have several frames: the first one is read",
    }
    counts = {n: sum(getattr(header, n) for header in headers) for n in texts}
    return [f"{root}: {n} images {texts[name]}" for name, n in counts.items() if n]


class _Reader:
    """Decodes files to images of one shape."""

    def __init__(self, shape: tuple[int, int, int], size: int | None, bits: int):
        self._shape, self._size, self._bits = shape, size, bits

    def _pixels(self, path: pathlib.Path) -> np.ndarray:
        pixels = decoding.read_pixels(path, self._shape[-1], self._bits)
        if self._size is None and pixels.shape != self._shape:
            raise UnreadableImage(f"{_format(pixels.shape[:2])} once decoded")
        if self._size is None:
            return pixels
        from darts_tf.data.images.resize import resize  # it loads TensorFlow

        return resize(pixels, self._size).numpy()

    def read(self, files: Files) -> Part:
        """Returns the images of all files, in their order."""
        images = np.empty((len(files.paths), *self._shape), np.uint8)
        for i, pixels in enumerate(_each(self._pixels, files.paths, "images")):
            images[i] = pixels
        return Part(images, files.labels)

    def try_all(self, files: Files) -> list[bytes]:
        """Decodes all files and returns their digests alone; errors as of `read`."""
        images = _each(self._pixels, files.paths, "test images")
        return [digests.digest(pixels) for pixels in images]
