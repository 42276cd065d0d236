"""Hashes of images: they find copies, and tell one set from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np


def digest(pixels: np.ndarray) -> bytes:
    """Returns 16 bytes that are equal for equal pixels, uint8 [H, W, C]."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()


def fingerprint(
    class_names: Sequence[str],
    parts: Iterable[tuple[Sequence[bytes], np.ndarray]],
) -> str:
    """Returns 16 hexadecimal digits that change with any pixel, label or name.

    Args:
      class_names: in the order of the labels.
      parts: (digests of the images, labels [N]) of each part.
    """
    whole = hashlib.sha256(repr(tuple(class_names)).encode())
    for images, labels in parts:
        whole.update(b"".join(images))
        whole.update(np.asarray(labels, np.int32).tobytes())
    return whole.hexdigest()[:16]


def remarks(
    train: Iterable[bytes],
    train_labels: np.ndarray,
    test: Iterable[bytes],
    test_labels: np.ndarray,
) -> list[str]:
    """Returns a line for each kind of copies that makes a result mean less.

    Args:
      train, test: the digests of the images of both parts.
      train_labels, test_labels: their class numbers, [N] and [M].
    """
    classes: dict[bytes, set[int]] = {}
    for key, label in zip(train, train_labels, strict=True):
        classes.setdefault(key, set()).add(int(label))
    repeated, total = 0, len(test_labels)
    for key, label in zip(test, test_labels, strict=True):
        repeated += key in classes
        classes.setdefault(key, set()).add(int(label))
    contradicting = sum(len(labels) > 1 for labels in classes.values())
    lines = []
    if repeated:
        lines.append(
            f"test images with the pixels of a training image: {repeated} of {total}; "
            "the test accuracy counts what was learned by heart: leave copies out"
        )
    if contradicting:
        lines.append(
            f"images that are there in several classes: {contradicting}; leave each "
            "in one class"
        )
    return lines
