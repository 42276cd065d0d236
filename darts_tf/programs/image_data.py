"""Divided data of images, and its batches."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
from absl import logging

from darts_tf.config import SearchConfig
from darts_tf.config_rules import RELAXED, SHARING
from darts_tf.data.images import batches, streamed_batches
from darts_tf.data.images.loading import (
    ImageData,
    Part,
    channel_statistics,
    load_images,
    stratified_split,
    without_content,
)
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.programs.task import ImageConfig

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


def load_data(
    config: ImageConfig, fractions: list[float], images: ImageData | None = None
) -> Data:
    """Divides a set of images into stratified parts.

    Args:
      config: of the program.
      fractions: sizes of the parts, as shares of the training images.
      images: the set; loaded by `config.dataset` where None.

    Raises:
      InputError: there is no such set, or it has too few images.
    """
    if images is None and config.dataset == "folder" and config.data_dir is not None:
        # Many files take minutes.
        print(f"reading the images in {config.data_dir} ...", flush=True)
    images = images or load_images(
        config.dataset,
        data_dir=config.data_dir,
        download=config.download,
        image_size=config.image_size,
        stream=config.stream,
    )
    train, names = images.train, images.class_names
    if config.examples > train.size:
        raise InputError(
            f"`examples={config.examples}`: {config.dataset} has {train.size} "
            f"training images; give at most that, or 0 for all"
        )
    if 0 < config.examples < train.size:
        share = config.examples / train.size
        (rows,) = stratified_split(train.labels, [share], config.examples_seed, names)
        train = train.take(rows)
    try:
        indices = stratified_split(train.labels, fractions, config.seed, names)
    except InputError as error:
        raise InputError(f"{_division(config)[0]}: {error}") from error
    parts = [train.take(rows) for rows in indices]
    for place, part in enumerate(parts):
        _check_batch(config, part, place, train.size)
    _warn(parts[0], names)
    return Data(images, parts, _statistics(parts[0]))


def _check_batch(config: ImageConfig, part: AnyPart, place: int, total: int) -> None:
    """Refuses a batch larger than a part, naming the part and what divides it."""
    if config.batch_size <= part.size:
        return
    divides, names = _division(config)
    raise InputError(
        f"`batch_size={config.batch_size}` is larger than the part {names[place]}, "
        f"which has {part.size} of {total} training images ({divides}); give at most "
        f"`batch_size={part.size}`"
    )


def _division(config: ImageConfig) -> tuple[str, tuple[str, str]]:
    """Returns the setting that divides the images, and what the parts are for."""
    if isinstance(config, SearchConfig) and config.strategy in (*RELAXED, SHARING):
        return f"`train_portion={config.train_portion}`", ("for w", "for alpha")
    divides = f"`valid_fraction={config.valid_fraction}`"
    return divides, ("for training", "held out for validation")


def _warn(part: AnyPart, class_names: tuple[str, ...]) -> None:
    """Says of images in memory which classes have nothing to learn from."""
    for line in without_content(part, class_names) if isinstance(part, Part) else ():
        logging.warning("%s", line)


def united(data: Data) -> Data:
    """Returns the union of both parts, twice, and the second part."""
    first: Any = data.parts[0]
    second = data.parts[1]
    union = first.concatenate(second)
    return Data(data.images, [union, union, second], _statistics(union))


def _statistics(part: AnyPart) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(part, StreamedPart):
        return streamed_batches.channel_statistics(part)
    return channel_statistics(part.images)


def _batches_of(part: AnyPart) -> Any:
    """Returns the module that makes batches of such a part."""
    return streamed_batches if isinstance(part, StreamedPart) else batches


class Batches:
    """Batches of one part of the data, split among the replicas."""

    def __init__(self, config: ImageConfig, data: Data, part: int, replicas: Replicas):
        replicas.check_batch(config.batch_size)
        self._config, self._replicas = config, replicas
        self._part, self._statistics = data.parts[part], data.statistics
        self._seed = 2 * config.seed + part
        self._augmentation = batches.Augmentation(
            crop_padding=config.crop_padding,
            flip=config.flip,
            cutout_length=config.cutout_length,
            resized_crop=config.resized_crop,
            colour_jitter=config.colour_jitter,
        )
        self._augmentation.check(data.images.image_shape)

    def augmented(self, start_step: int):
        """Returns endless shuffled, augmented batches."""
        return self._endless(start_step, self._augmentation)

    def plain(self, start_step: int):
        """Returns endless shuffled batches of unchanged images."""
        return self._endless(start_step, None)

    def once(self):
        """Returns batches with every image once, unchanged."""
        return once(self._config, self._part, self._statistics, self._replicas)

    def same(self, count: int):
        """Returns a function that gives the same shuffled batches at each call.

        Args:
          count: how many; 0 for all whole ones that the part has.

        Raises:
          InputError: there are fewer.
        """
        whole = self._part.size // self._config.batch_size
        if count > whole:
            raise InputError(
                f"`measured_batches={count}`: the validation part has "
                f"{whole} batches of {self._config.batch_size}; give at most "
                f"that, or 0 for all"
            )
        endless = self.plain(0)
        return lambda: itertools.islice(endless, count or whole)

    def _endless(self, start_step, augmentation):
        size = self._config.batch_size
        dataset = _batches_of(self._part).training_batches(
            self._part,
            batch_size=size,
            seed=self._seed,
            start_step=start_step,
            statistics=self._statistics,
            augmentation=augmentation,
            rounds=self._config.shuffle_rounds,
        )
        return self._replicas.split(dataset, size)


def once(config: ImageConfig, part: AnyPart, statistics, replicas: Replicas):
    """Returns every image of a part once, split among the replicas."""
    size = min(4 * config.batch_size, part.size)
    size = max(size // replicas.count * replicas.count, replicas.count)
    dataset = _batches_of(part).ordered_batches(
        part, batch_size=size, statistics=statistics
    )
    return replicas.split(dataset, size)
