"""Sets of labelled images in memory, stratified splits and pixel statistics."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from darts_tf.errors import InputError, shorten

if TYPE_CHECKING:  # it loads TensorFlow
    from darts_tf.data.images.streamed import StreamedPart

Scaling = Literal["none", "whole", "centre"]

CHUNK = 4096  # images that are summed at once

SPLIT_SEED, TEST_FRACTION = 0, 0.2
"""Seed and size of the test part cut off a set that comes without one."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Labelled images in memory.

    Attributes:
      images: uint8 [N, H, W, C].
      labels: int32 [N], numbers of classes from 0.
    """

    images: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        return f"Part({describe_size(self)})"

    @property
    def size(self) -> int:
        """Returns N, the number of examples."""
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Returns (H, W, C)."""
        return tuple(self.images.shape[1:])

    @property
    def nbytes(self) -> int:
        """Returns the bytes of the images; labels are not counted."""
        return self.images.nbytes

    def take(self, indices: np.ndarray) -> Part:
        """Copies the examples at `indices` ([M] integers) into a new Part."""
        return Part(self.images[indices], self.labels[indices])

    def concatenate(self, other: Part) -> Part:
        """Copies the examples of both parts into a new Part."""
        return Part(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """A set of labelled images: its training part, and its test part on demand.

    Attributes:
      name: as given to `load`; "arrays" or "dataset" for a user's own.
      class_names: one a class, in the order of the labels.
      train: everything that a search or a training may look at, undivided; a
        StreamedPart if images stay in files, as is the test part then.
      read_test: reads the test part; called by `load_test` only.
      fingerprint: a hash of all pixels, labels and class names of a user's own
        set, by which a run recognises its data; None for sets of others.
      scaling: how images came to their size; "none": they had it, "whole": the
        whole image was scaled, "centre": the square in its middle was
        (decode_and_crop.py).
      example_file: an image file of the test part, where images are files.
    """

    name: str
    class_names: tuple[str, ...]
    train: Part | StreamedPart
    read_test: Callable[[], Part | StreamedPart]
    fingerprint: str | None = None
    scaling: Scaling = "none"
    example_file: str | None = None

    def __repr__(self) -> str:
        size = describe_size(self.train)
        return f"ImageData({self.name!r}, {size}, {self.num_classes} classes)"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Returns (H, W, C)."""
        return self.train.image_shape

    @property
    def num_classes(self) -> int:
        """Returns the number of classes."""
        return len(self.class_names)

    def load_test(self) -> Part | StreamedPart:
        """Reads the test part, which is for the final result only."""
        return self.read_test()


def describe_size(part: Part | StreamedPart) -> str:
    """Returns the number and shape of a part's images, as "1,438 images 8x8x1"."""
    return f"{part.size:,} images {'x'.join(map(str, part.image_shape))}"


def split_off_test(
    labels: np.ndarray, class_names: Sequence[str] = ()
) -> list[np.ndarray]:
    """Divides a set without a test part: a fixed stratified fifth is the test.

    Args:
      labels: [N] class numbers.
      class_names: for the message; without them classes are named by number.

    Returns:
      [indices of the training part, indices of the test part], sorted int64.

    Raises:
      InputError: a class of fewer than 3 examples.
    """
    fractions = (1 - TEST_FRACTION, TEST_FRACTION)
    return stratified_split(labels, fractions, SPLIT_SEED, class_names)


def stratified_split(
    labels: np.ndarray,
    fractions: Sequence[float],
    seed: int,
    class_names: Sequence[str] = (),
) -> list[np.ndarray]:
    """Draws disjoint parts that have every class in the same proportion.

    Args:
      labels: [N] class numbers.
      fractions: each part's share of every class; sum at most 1. If it is
        1, the parts cover everything.
      seed: not negative; the same seed gives the same parts.
      class_names: for the message; without them classes are named by number.

    Returns:
      one sorted int64 array of indices into `labels` for each fraction.

    Raises:
      InputError: shares that are not positive or exceed 1 together, or a
        class too small to be in every part.
    """
    bounds = _bounds(fractions)
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[] for _ in fractions]
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        cuts = np.rint(bounds * len(members)).astype(int)
        for part, start, stop in zip(parts, cuts[:-1], cuts[1:], strict=True):
            if start == stop:
                name = repr(class_names[label]) if len(class_names) else label
                raise InputError(
                    f"class {name} has {len(members)} examples, too few for "
                    f"parts of {_format(fractions)}; give more examples or "
                    "other fractions"
                )
            part.append(members[start:stop])
    return [np.sort(np.concatenate(part)) for part in parts]


def _bounds(fractions: Sequence[float]) -> np.ndarray:
    """Returns 0 and the running sums of the shares, [parts + 1]."""
    bounds = np.concatenate([[0.0], np.cumsum(np.asarray(fractions, float))])
    positive = np.all(np.diff(bounds) > 0)
    if len(bounds) < 2 or not positive or bounds[-1] > 1 + 1e-9:
        raise InputError(
            f"`fractions` of a split must be positive and sum to at most 1; "
            f"received {_format(fractions)}"
        )
    return bounds


def _format(fractions: Sequence[float]) -> str:
    return ", ".join(f"{fraction:g}" for fraction in fractions)


def largest_share(labels: np.ndarray) -> float:
    """Returns the share of the largest class: the accuracy of always naming it.

    Args:
      labels: [N] class numbers, N at least 1.
    """
    return float(np.bincount(labels).max() / len(labels))


def without_content(part: Part, class_names: Sequence[str]) -> list[str]:
    """Returns a line for each kind of class from which nothing can be learned.

    Such are classes of which all images are equal, or each has one colour only.
    """
    equal, constant = [], []
    for label in np.unique(part.labels):
        rows = np.flatnonzero(part.labels == label)
        first = part.images[rows[0]]
        if len(rows) > 1 and all(np.array_equal(part.images[i], first) for i in rows):
            equal.append(class_names[label])
        if all((part.images[i] == part.images[i][:1, :1]).all() for i in rows):
            constant.append(class_names[label])
    texts = {"are equal": equal, "have one colour only": constant}
    return [
        f"all training images of class {_listed(names)} {text}"
        for text, names in texts.items()
        if names
    ]


def _listed(names: Sequence[str]) -> str:
    return shorten(", ".join(map(repr, names)), 120)


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes mean and standard deviation of each channel, in pixels 0..255.

    Args:
      images: uint8 [N, H, W, C], N at least 1.

    Returns:
      (mean [C], std [C]) float32; a channel that never changes gets std 1.
    """
    starts = range(0, len(images), CHUNK)
    return statistics_of(images[start : start + CHUNK] for start in starts)


def statistics_of(
    chunks: Iterable[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Computes `channel_statistics` of chunks of images, uint8 [B, H, W, C]."""
    total = squares = np.zeros(())
    count = 0
    for chunk in chunks:
        x = chunk.astype(np.float64)
        # Whole numbers below 2**53: exact. Over images first: fast.
        total = total + x.sum(axis=0).sum(axis=(0, 1))
        squares = squares + np.square(x).sum(axis=0).sum(axis=(0, 1))
        count += x.size // x.shape[-1]
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    constant = variance < 1e-9
    std = np.where(constant, 1.0, np.sqrt(variance))
    return mean.astype(np.float32), std.astype(np.float32)
