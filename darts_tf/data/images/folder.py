"""Reads a user's own images from one folder a class.

Either root/<class>/*.png, of which a fixed stratified fifth is the test part,
or root/train/<class>/*.png and root/test/<class>/*.png. Headers of all files
are read at the start, pixels of test images only by `load_test`.
"""

from __future__ import annotations

import dataclasses
import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from darts_tf.data.available_memory import require_memory
from darts_tf.data.images.dataset import ImageData, Part, split_off_test
from darts_tf.data.images.resize import resize
from darts_tf.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
DEEP_GREY = ("I", "I;16", "I;16B", "I;16L")  # 16 bits a pixel
GREY = ("1", "L", "LA", *DEEP_GREY)
ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
EXIF_ORIENTATION = 0x0112
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


@dataclasses.dataclass(frozen=True)
class _Files:
    """The image files of a part, and the class numbers int32 [N] of them."""

    paths: tuple[pathlib.Path, ...]
    labels: np.ndarray

    def take(self, indices: np.ndarray) -> _Files:
        paths = tuple(self.paths[i] for i in indices)
        return _Files(paths, self.labels[indices])


def load_folder(data_dir: str | None, image_size: int | None) -> ImageData:
    """Reads the images in a user's folder; errors as in `load_images`.

    Class names are the folders', sorted. Images have one channel if all are
    grey, else three (transparency is dropped).
    """
    root = _root(data_dir)
    class_names, train, test = _find(root)
    shape = _shape(root, (*train.paths, *test.paths), image_size)
    require_memory(str(root), len(train.paths), shape)
    return ImageData(
        "folder",
        class_names,
        _read(train, shape, image_size),
        lambda: _read(test, shape, image_size),
        scaling="none" if image_size is None else "whole",
        example_file=str(test.paths[0].absolute()),
    )


def _root(data_dir: str | None) -> pathlib.Path:
    if data_dir is None:
        raise InputError("`dataset=folder` needs `data_dir`, the folder of your images")
    root = pathlib.Path(data_dir)
    if not root.is_dir():
        raise InputError(f"`data_dir={data_dir}` is no folder; give one that is")
    return root


def _find(root: pathlib.Path) -> tuple[tuple[str, ...], _Files, _Files]:
    """Returns (class names, training files, test files) of either layout."""
    train, test = root / "train", root / "test"
    if train.is_dir() and test.is_dir():
        names = _classes(train)
        if names != (test_names := _classes(test)):
            odd = ", ".join(sorted(set(names) ^ set(test_names)))
            raise InputError(
                f"{root}: train and test must have the same classes; only one "
                f"of them has: {odd}"
            )
        return names, _files(train, names), _files(test, names)
    names = _classes(root)
    files = _files(root, names)
    train_rows, test_rows = split_off_test(files.labels)
    return names, files.take(train_rows), files.take(test_rows)


def _images_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _classes(folder: pathlib.Path) -> tuple[str, ...]:
    names = tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )
    )
    if not names and (folder / "train.txt").is_file():
        raise InputError(
            f"{folder} has text (train.txt), no class folders of images; load "
            "it as text: from_text, or the data set 'text_folder'"
        )
    if not names:
        raise InputError(
            f"{folder} has no class folders; put each class's images in a "
            f"folder of its own: {folder}/<class>/*.png"
        )
    if len(names) == 1:
        raise InputError(
            f"{folder} has one class only, {names[0]!r}; classification needs "
            "at least two class folders"
        )
    return names


def _files(folder: pathlib.Path, names: tuple[str, ...]) -> _Files:
    paths, labels = [], []
    for label, name in enumerate(names):
        images = _images_in(folder / name)
        if not images:
            raise InputError(
                f"{folder / name} has no images; give files that end in "
                f"{', '.join(SUFFIXES)} or remove the folder"
            )
        paths += images
        labels += [label] * len(images)
    return _Files(tuple(paths), np.array(labels, np.int32))


def _header(path: pathlib.Path) -> tuple[int, int, bool] | None:
    """Reads (H, W, grey) without any pixels; None if that fails."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(EXIF_ORIENTATION) in ROTATED:
                width, height = height, width
            return height, width, _is_grey(image)
    except UNREADABLE:
        return None


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P" or image.palette is None:
        return image.mode in GREY
    order, colours = image.palette.getdata()  # a GIF's greys are a palette
    if order != "RGB":
        return False
    rgb = np.frombuffer(bytes(colours), np.uint8).reshape(-1, 3)
    return bool(np.all(rgb == rgb[:, :1]))


def _shape(
    root: pathlib.Path, paths: tuple[pathlib.Path, ...], size: int | None
) -> tuple[int, int, int]:
    """Returns the (H, W, C) that all images will have once read."""
    with ThreadPoolExecutor() as pool:
        headers = list(pool.map(_header, paths))
    _refuse_unreadable(p for p, h in zip(paths, headers) if h is None)
    read = [header for header in headers if header is not None]
    channels = 1 if all(grey for _, _, grey in read) else 3
    if size is not None:
        return size, size, channels
    sizes = sorted({(height, width) for height, width, _ in read})
    if len(sizes) > 1:
        raise InputError(
            f"{root}: images have {len(sizes)} sizes, from "
            f"{_format(sizes[0])} to {_format(sizes[-1])} (height x width); give "
            "`image_size` to scale all to one"
        )
    return (*sizes[0], channels)


def _format(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _refuse_unreadable(paths) -> None:
    bad = [str(path) for path in paths]
    if bad:
        raise InputError(
            f"{len(bad)} unreadable image file{'s' * (len(bad) > 1)}: "
            f"{', '.join(bad[:3])}{', ...' * (len(bad) > 3)}; remove or "
            "replace them"
        )


def _read(files: _Files, shape: tuple[int, int, int], size: int | None) -> Part:
    """Decodes all files, in their order."""
    images = np.empty((len(files.paths), *shape), np.uint8)

    def fill(i: int) -> bool:
        try:
            pixels = _pixels(files.paths[i], shape[-1])
        except UNREADABLE:
            return False
        images[i] = pixels if size is None else resize(pixels, size).numpy()
        return True

    with ThreadPoolExecutor() as pool:
        good = list(pool.map(fill, range(len(images))))
    _refuse_unreadable(p for p, ok in zip(files.paths, good) if not ok)
    return Part(images, files.labels)


def _pixels(path: pathlib.Path, channels: int) -> np.ndarray:
    """Decodes uint8 [H, W, C], upright; the first frame of an animation."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode in DEEP_GREY:
            high_bytes = np.asarray(image).astype(np.int64) >> 8
            image = Image.fromarray(np.clip(high_bytes, 0, 255).astype(np.uint8))
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)
