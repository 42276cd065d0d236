"""Images: from flags to divided data and its batches."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from darts_tf.data.images import batches, streamed_batches
from darts_tf.data.images.loading import (
    ImageData,
    Part,
    channel_statistics,
    load_images,
    stratified_split,
)
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError

AnyPart = Part | StreamedPart


@dataclasses.dataclass(frozen=True)
class Data:
    """An image set, divided and measured.

    Attributes:
      images: the set; its test part unread.
      parts: the training data in disjoint stratified parts.
      statistics: (mean [C], std [C]) of the first part, pixel units.
    """

    images: ImageData
    parts: list[AnyPart]
    statistics: tuple[np.ndarray, np.ndarray]


def load_data(flags, fractions: list[float]) -> Data:
    """Loads the set that the flags name, in parts of these fractions."""
    images = load_images(
        flags.dataset,
        data_dir=flags.data_dir,
        download=flags.download,
        image_size=flags.image_size,
        stream="stream" in flags and flags.stream,  # not in earlier runs
    )
    train = images.train
    if flags.examples > train.size:
        raise InputError(
            f"--examples={flags.examples}: {flags.dataset} has {train.size} "
            f"training images; give at most that, or 0 for all"
        )
    if 0 < flags.examples < train.size:
        share = flags.examples / train.size
        (some,) = stratified_split(train.labels, [share], flags.seed)
        train = train.take(some)
    indices = stratified_split(train.labels, fractions, flags.seed)
    parts = [train.take(rows) for rows in indices]
    for part in parts:
        batches.steps_per_epoch(part, flags.batch_size)
    return Data(images, parts, _statistics(parts[0]))


def united(data: Data) -> Data:
    """The union of both parts, twice, and the second part."""
    first, second = data.parts
    union = first.concatenate(second)
    return Data(data.images, [union, union, second], _statistics(union))


def _statistics(part: AnyPart) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(part, StreamedPart):
        return streamed_batches.channel_statistics(part)
    return channel_statistics(part.images)


def _batches_of(part: AnyPart):
    """The module that makes batches of such a part."""
    return streamed_batches if isinstance(part, StreamedPart) else batches


class Batches:
    """Batches of one part of the data, split among the replicas."""

    def __init__(self, flags, data: Data, part: int, replicas: Replicas):
        replicas.check_batch(flags.batch_size)
        self._flags, self._replicas = flags, replicas
        self._part, self._statistics = data.parts[part], data.statistics
        self._seed = 2 * flags.seed + part
        self._augmentation = batches.Augmentation(
            crop_padding=flags.crop_padding,
            flip=flags.flip,
            cutout_length=flags.cutout_length,
            resized_crop=flags.resized_crop,
            colour_jitter=flags.colour_jitter,
        )
        self._augmentation.check(data.images.image_shape)

    def augmented(self, start_step: int):
        """Shuffled, augmented, endless."""
        return self._endless(start_step, self._augmentation)

    def plain(self, start_step: int):
        """Shuffled, endless, as the images are."""
        return self._endless(start_step, None)

    def once(self):
        """Every image once, as it is."""
        return once(self._flags, self._part, self._statistics, self._replicas)

    def same(self, count: int):
        """A function that gives the same shuffled batches at each call.

        Args:
          count: how many; 0 for all whole ones that the part has.

        Raises:
          InputError: there are fewer.
        """
        whole = self._part.size // self._flags.batch_size
        if count > whole:
            raise InputError(
                f"--measured_batches={count}: the validation part has "
                f"{whole} batches of {self._flags.batch_size}; give at most "
                f"that, or 0 for all"
            )
        endless = self.plain(0)
        return lambda: itertools.islice(endless, count or whole)

    def _endless(self, start_step, augmentation):
        size = self._flags.batch_size
        dataset = _batches_of(self._part).training_batches(
            self._part,
            batch_size=size,
            seed=self._seed,
            start_step=start_step,
            statistics=self._statistics,
            augmentation=augmentation,
        )
        return self._replicas.split(dataset, size)


def once(flags, part: AnyPart, statistics, replicas: Replicas):
    """Every image of a part once, split among the replicas."""
    size = min(4 * flags.batch_size, part.size)
    size = max(size // replicas.count * replicas.count, replicas.count)
    dataset = _batches_of(part).ordered_batches(
        part, batch_size=size, statistics=statistics
    )
    return replicas.split(dataset, size)
