"""Finds image files and their classes in a user's folder, and what is left out.

Three layouts:

- root/<class>/*.png: a fixed stratified fifth will be the test part;
- root/train/<class>/*.png alone: likewise;
- root/train/<class>/*.png beside root/test/<class>/*.png, or without it beside
  root/val/<class>/*.png, which is the test part then.

Nothing is ignored in silence: `Layout.remarks` tells what serves as what, and
counts every file that is not read.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import unicodedata

import numpy as np

from darts_tf.data.images.decoding import SUFFIXES
from darts_tf.errors import InputError, shorten
from darts_tf.reading import reason_of

TRAIN, VALID, TEST = "train", "val", "test"
SPLITS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALID,
    "valid": VALID,
    "validation": VALID,
    "test": TEST,
    "testing": TEST,
}
"""Folders that hold class folders, and the part that each name stands for."""

LEFTOVERS = ("__MACOSX", "__pycache__", "@eaDir", "lost+found", "$RECYCLE.BIN")
"""Folders that archives and systems leave behind; and all that begin with a dot."""

BESIDE = "beside the class folders"
COMMON = ".png, .jpg, .webp, .tif, .bmp, .gif"


@dataclasses.dataclass(frozen=True)
class Files:
    """The image files of a part, and the class numbers int32 [N] of them."""

    paths: tuple[pathlib.Path, ...]
    labels: np.ndarray

    def take(self, indices: np.ndarray) -> Files:
        """Returns the files at `indices`."""
        paths = tuple(self.paths[i] for i in indices)
        return Files(paths, self.labels[indices])


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of a folder.

    Attributes:
      class_names: the names of the class folders, sorted.
      train: the files of the training part, or of all.
      test: those of the test part; None: it is to be cut off `train`.
      remarks: lines for the user.
    """

    class_names: tuple[str, ...]
    train: Files
    test: Files | None
    remarks: tuple[str, ...]


class _LeftOut:
    """Counts files that are not read, by place and reason."""

    def __init__(self) -> None:
        self._counts: dict[str, collections.Counter[str]] = {}

    def add(self, place: str, what: str, count: int = 1) -> None:
        if count:
            counts = self._counts.setdefault(place, collections.Counter())
            counts[what] += count

    def remark(self, root: pathlib.Path) -> list[str]:
        """Returns the one line, or nothing where nothing was left out."""
        total = sum(sum(counts.values()) for counts in self._counts.values())
        if not total:
            return []
        places = [
            f"{place} {', '.join(f'{n} {what}' for what, n in counts.most_common())}"
            for place, counts in self._counts.items()
        ]
        text = shorten("; ".join(places), 200)
        files = "1 file is" if total == 1 else f"{total} files are"
        return [f"{shorten(str(root))}: {files} left out ({text})"]


def find(root: pathlib.Path) -> Layout:
    """Finds the classes and files in `root`, by names alone.

    Raises:
      InputError: no or one class, a class without images, splits of other
        classes, names that could mean two things, or a folder that cannot
        be read.
    """
    left_out = _LeftOut()
    folders = _folders(root, BESIDE, left_out)
    splits = {
        name: SPLITS[name.casefold()] for name in folders if name.casefold() in SPLITS
    }
    parts = [name for name in splits if _folders(root / name, "", _LeftOut())]
    if any(splits[name] == TRAIN for name in parts):
        layout = _from_splits(root, folders, splits, parts, left_out)
    else:
        _refuse_split_names(root, folders, splits)
        names = _classes(root, folders)
        layout = Layout(names, _files(root, names, left_out), None, ())
    about_names = (f"{root}: {line}" for line in _on_names(layout.class_names))
    return dataclasses.replace(
        layout, remarks=(*layout.remarks, *about_names, *left_out.remark(root))
    )


def _from_splits(root, folders, splits, parts, left_out: _LeftOut) -> Layout:
    """Reads train/, and test/ or else val/, which have class folders."""
    names = _by_part(root, splits, parts)
    for name in folders:
        if name not in names.values():
            kind = "not used" if name in splits else "no split"
            count = _count(root / name)
            left_out.add(f"{name}/ ({kind})", "files", count)
    test_name = names.get(TEST, names.get(VALID))
    train, classes = _split(root / names[TRAIN], left_out)
    if test_name is None:
        return Layout(classes, train, None, (_no_test(root, names[TRAIN]),))
    if odd := sorted({*classes} ^ {*_folders(root / test_name, "", _LeftOut())}):
        raise InputError(
            f"{root}: {names[TRAIN]} and {test_name} must have the same classes; only "
            f"one of them has: {shorten(', '.join(odd), 80)}"
        )
    test, _ = _split(root / test_name, left_out)
    remarks = ()
    if TEST not in names:
        remarks = (f"{root}: {test_name}/ is the test part; there is no test/",)
    elif VALID in names:
        remarks = (
            f"{root}: {names[VALID]}/ is not read: parts for validation are cut off "
            f"{names[TRAIN]}/; move its images there to use them",
        )
        left_out.add(
            f"{names[VALID]}/ (not used)", "files", _count(root / names[VALID])
        )
    return Layout(classes, train, test, remarks)


def _no_test(root: pathlib.Path, train: str) -> str:
    return (
        f"{root}: there is no test/ with class folders; a fixed fifth of {train}/ is "
        "the test part"
    )


def _by_part(root, splits: dict[str, str], parts: list[str]) -> dict[str, str]:
    """Returns the folder of each part; refuses two for one."""
    names: dict[str, str] = {}
    for name in parts:
        if (other := names.setdefault(splits[name], name)) != name:
            raise InputError(
                f"{root} has {other}/ and {name}/, which mean the same part; join them "
                "or move one away"
            )
    return names


def _refuse_split_names(root, folders: list[str], splits: dict[str, str]) -> None:
    """Refuses folders called as splits where there is no train/ with classes."""
    if not splits:
        return
    name = next(iter(splits))
    if len(splits) == len(folders):
        raise InputError(
            f"{root} has {', '.join(f'{n}/' for n in folders)} but no train/ with one "
            f"folder for each class; give {root}/train/<class>/*.png"
        )
    others = shorten(", ".join(n for n in folders if n not in splits), 80)
    raise InputError(
        f"{root / name} has the name of a split beside the class folders {others}; "
        "move it away, or rename it if it is a class"
    )


def _split(folder: pathlib.Path, left_out: _LeftOut) -> tuple[Files, tuple[str, ...]]:
    inside = f"{folder.name}/ {BESIDE}"
    names = _classes(folder, _folders(folder, inside, left_out))
    return _files(folder, names, left_out), names


def _entries(folder: pathlib.Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {reason_of(error)}; allow reading it or move it "
            "away"
        ) from error


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that loops
        return False


def _is_leftover(name: str) -> bool:
    return name.startswith(".") or name in LEFTOVERS


def _folders(folder: pathlib.Path, place: str, left_out: _LeftOut) -> list[str]:
    """Returns the names of the folders in a folder; counts what else is there."""
    names = []
    for entry in _entries(folder):
        if not _is_folder(entry):
            left_out.add(place, _kind(entry.name))
        elif _is_leftover(entry.name):
            left_out.add(place, f"in {entry.name}", _count(folder / entry.name))
        else:
            names.append(entry.name)
    return names


def _kind(name: str) -> str:
    """Returns the reason why a file is left out, for the count."""
    if name.startswith("."):
        return "hidden"
    return pathlib.PurePath(name).suffix.lower() or "without an ending"


def _count(folder: pathlib.Path) -> int:
    """Returns the number of files below a folder; links are not followed."""
    return sum(len(files) for _, _, files in os.walk(folder))


def _classes(folder: pathlib.Path, names: list[str]) -> tuple[str, ...]:
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
            f"at least two class folders{_deeper(folder / names[0])}"
        )
    for name in names:
        if not name.isprintable() or not _is_text(name):
            raise InputError(
                f"{folder}: the class folder {name!r} has characters that cannot be "
                "printed; rename it"
            )
    return tuple(names)


def _on_names(names: tuple[str, ...]) -> list[str]:
    """Returns a line for names that look alike, or are numbers in another order."""
    alike: dict[str, list[str]] = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold().strip()
        alike.setdefault(plain, []).append(name)
    lines = [
        f"the class folders {shorten(', '.join(map(repr, group)), 80)} are different "
        "classes, whose names differ in case, blanks or coding alone"
        for group in alike.values()
        if len(group) > 1
    ]
    if all(name.isascii() and name.isdecimal() for name in names):
        by_size = sorted(names, key=int)
        moved = [i for i, name in enumerate(names) if name != by_size[i]]
        lines += [
            f"the class folders are numbers, and sorted as text: class {i} is the "
            f"folder {names[i]!r}; leading zeros sort them as numbers"
            for i in moved[:1]
        ]
    return lines


def _is_text(name: str) -> bool:
    """Returns False for a name of bytes that are no UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _deeper(folder: pathlib.Path) -> str:
    inner = _folders(folder, "", _LeftOut())
    if any(SPLITS.get(name.casefold()) == TRAIN for name in inner):
        return f"; its folders are parts: give `data_dir={folder}`"
    if len(inner) < 2:
        return ""
    names = shorten(", ".join(inner), 60)
    return f"; if {names} are the classes, give `data_dir={folder}`"


def _files(folder: pathlib.Path, names: tuple[str, ...], left_out: _LeftOut) -> Files:
    paths, labels = [], []
    for label, name in enumerate(names):
        images = _images_in(folder / name, name, left_out)
        if not images:
            raise InputError(
                f"{folder / name} has no images; give files that end in {COMMON} or "
                "another ending that Pillow reads, or remove the folder"
            )
        paths.append(images)
        labels += [label] * len(images)
    _refuse_one_level_too_high(folder, names, paths)
    flat = tuple(path for images in paths for path in images)
    return Files(flat, np.array(labels, np.int32))


def _images_in(
    folder: pathlib.Path, name: str, left_out: _LeftOut
) -> list[pathlib.Path]:
    """Returns the images of a class, those of nested folders too."""
    images, waiting, seen = [], [folder], set()
    while waiting:
        current = waiting.pop()
        status = os.stat(current)
        if (status.st_dev, status.st_ino) in seen:
            left_out.add(name, "links to a folder that is read already")
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in _entries(current):
            path = current / entry.name
            if _is_folder(entry):
                if _is_leftover(entry.name):
                    left_out.add(name, f"in {entry.name}", _count(path))
                    continue
                _refuse_split_inside(folder, path)
                waiting.append(path)
            elif _kind(entry.name) in SUFFIXES:
                images.append(path)
            else:
                left_out.add(name, _kind(entry.name))
    return sorted(images)


def _refuse_split_inside(folder: pathlib.Path, path: pathlib.Path) -> None:
    if path.parent == folder and path.name.casefold() in SPLITS:
        raise InputError(
            f"{path}: a split inside of a class folder; put splits above classes: "
            f"{folder.parent}/{path.name}/{folder.name}/*.png"
        )


def _refuse_one_level_too_high(
    folder: pathlib.Path, names: tuple[str, ...], paths: list[list[pathlib.Path]]
) -> None:
    """Refuses classes whose images are all in nested folders of the same names."""
    inner = []
    for name, images in zip(names, paths):
        below = {path.relative_to(folder / name).parts for path in images}
        if any(len(parts) == 1 for parts in below):
            return
        inner.append({parts[0] for parts in below})
    if len(inner[0]) > 1 and all(each == inner[0] for each in inner):
        shown = shorten(", ".join(sorted(inner[0])), 60)
        raise InputError(
            f"{folder}: {shorten(', '.join(names), 60)} hold no images, only the same "
            f"folders {shown}; give the one of them whose folders are the classes, or "
            "call them train and test if they are parts"
        )
