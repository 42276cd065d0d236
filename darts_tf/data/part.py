"""What an image set is once it is in memory.

Pixels are kept as uint8 0..255 until a batch is made: normalised float32
copies would take four times the memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from darts_tf.errors import InputError

# Numbers of one part, of the two halves that a search cuts it into and of the
# tensors that feed them are alive together: about three times the images.
MEMORY_FRACTION = 0.25
_CHUNK = 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclasses.dataclass(frozen=True)
class Part:
    """Labelled images.

    Attributes:
        images: uint8 [N, H, W, C], 0..255.
        labels: int32 [N], class numbers.

    Raises:
        InputError: other types or shapes, or no image at all.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise InputError(
                "images must be uint8 [N, H, W, C]; got "
                f"{self.images.dtype} {list(self.images.shape)}"
            )
        if self.labels.dtype != np.int32:
            raise InputError(f"labels must be int32; got {self.labels.dtype}")
        if self.labels.shape != self.images.shape[:1]:
            raise InputError(
                f"{len(self.images)} images need as many labels; got shape "
                f"{list(self.labels.shape)}"
            )
        if not len(self.labels):
            raise InputError("a part needs at least one image; got none")

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: np.ndarray) -> Part:
        """The examples with these numbers (int [M]), copied, in that order."""
        return Part(self.images[indices], self.labels[indices])


@dataclasses.dataclass(frozen=True)
class ImageData:
    """An image classification set: training data now, test data on demand.

    Attributes:
        name: as it was asked for.
        class_names: by class number.
        train: all that a search or a training may see.
        read_test: reads the test part; called by `load_test` alone.
    """

    name: str
    class_names: tuple[str, ...]
    train: Part
    read_test: Callable[[], Part]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.train.images.shape[1:]

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def load_test(self) -> Part:
        """Reads the test part: for the last number of a run, nothing else.

        Raises:
            InputError: it cannot be read, or does not fit the training part.
        """
        test = self.read_test()
        if test.images.shape[1:] != self.image_shape:
            raise InputError(
                f"{self.name}: test images are {test.images.shape[1:]}, "
                f"training images {self.image_shape}; give image_size"
            )
        return test


class Statistics(NamedTuple):
    """Mean and standard deviation of each channel, in pixel values 0..255."""

    mean: np.ndarray
    std: np.ndarray


def channel_statistics(images: np.ndarray) -> Statistics:
    """Mean and standard deviation of each channel of uint8 [N, H, W, C].

    Returns:
        (mean, std), each float64 [C], in pixel values 0..255. A channel that
        never changes gets std 1, so that dividing by it is harmless.
    """
    channels = images.shape[-1]
    total, squares = np.zeros(channels), np.zeros(channels)
    for start in range(0, len(images), _CHUNK):
        pixels = images[start : start + _CHUNK].reshape(-1, channels)
        pixels = pixels.astype(np.float64)
        total += pixels.sum(axis=0)
        squares += np.square(pixels).sum(axis=0)
    count = images.size // channels
    mean = total / count
    # Sums of whole numbers below 2**53 are exact, so the variance of a
    # channel that never changes is 0 but for the last rounding.
    std = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    return Statistics(mean, np.where(std < 1e-4, 1.0, std))


def stratified_split(
    labels: np.ndarray, fractions: Sequence[float], seed: int
) -> list[np.ndarray]:
    """Cuts examples into disjoint parts, each class by the same fractions.

    Args:
        labels: [N] integers.
        fractions: of each part, above 0; they sum to 1 (then every example
            is in a part) or less.
        seed: chooses who goes where.

    Returns:
        For each fraction the sorted example numbers, int64 [M].

    Raises:
        InputError: bad fractions, or a part would lack one of the classes.
    """
    _check_fractions(fractions)
    labels = np.asarray(labels)
    cuts = np.concatenate([[0.0], np.cumsum(fractions)])
    generator = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[] for _ in fractions]
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        bounds = np.rint(cuts * len(members)).astype(int)
        if (np.diff(bounds) < 1).any():
            raise InputError(
                f"class {label} has {len(members)} examples, too few for "
                f"parts of {list(fractions)}; give it more images"
            )
        for part, start, stop in zip(parts, bounds, bounds[1:]):
            part.append(members[start:stop])
    return [np.sort(np.concatenate(part)) for part in parts]


def _check_fractions(fractions: Sequence[float]) -> None:
    good = len(fractions) > 0 and all(f > 0 for f in fractions)
    if not good or sum(fractions) > 1 + 1e-9:
        raise InputError(
            "fractions must be above 0 and sum to at most 1; got "
            f"{list(fractions)}"
        )


def check_image_size(
    image_size: int | Sequence[int] | None,
) -> tuple[int, int] | None:
    """(height, width) in pixels from one number or two; None stays None.

    Raises:
        InputError: not one or two whole numbers above 0.
    """
    if image_size is None:
        return None
    single = isinstance(image_size, (int, np.integer))
    pair = (image_size, image_size) if single else tuple(image_size)
    if len(pair) != 2 or any(
        not isinstance(side, (int, np.integer)) or side < 1 for side in pair
    ):
        raise InputError(
            "image_size must be one side, or height and width, in pixels; "
            f"got {image_size!r}"
        )
    return int(pair[0]), int(pair[1])


def available_memory() -> int:
    """Bytes that this process may still take, also inside a container."""
    available = psutil.virtual_memory().available
    try:
        limit = _CGROUP_LIMIT.read_text().strip()
    except OSError:
        return available
    return min(available, int(limit)) if limit.isdigit() else available


def check_memory(name: str, count: int, shape: tuple[int, int, int]) -> None:
    """Refuses [count, *shape] bytes of images that memory would not hold.

    Raises:
        InputError: above MEMORY_FRACTION of the available memory.
    """
    need = count * int(np.prod(shape))
    have = available_memory()
    if need > MEMORY_FRACTION * have:
        raise InputError(
            f"{name}: {count} images of {'x'.join(map(str, shape))} take "
            f"{need / 2**30:.1f} GiB, more than {MEMORY_FRACTION:.0%} of the "
            f"{have / 2**30:.1f} GiB available; give a smaller image_size"
        )
