"""Reads the splits of a prepared TFDS set into memory, or finds them in files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.data.images.dataset import Part
from darts_tf.data.images.records import find_examples
from darts_tf.data.images.resize import resize
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.errors import InputError

READ_BATCH = 256  # examples that are decoded and copied at once


@dataclasses.dataclass(frozen=True)
class Source:
    """A prepared set whose splits are read into memory.

    Attributes:
      builder: TFDS's.
      image, label: keys of the features.
      shape: (H, W, C) of an image once read.
      image_size: pixels, if images are scaled.
    """

    builder: Any
    image: str
    label: str
    shape: tuple[int, int, int]
    image_size: int | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Returns the classes' names in the order of the labels."""
        return tuple(self.builder.info.features[self.label].names)

    def count(self, split: str) -> int:
        """Returns the number of examples of a split."""
        return self.builder.info.splits[split].num_examples

    def expected_size(self, split: str) -> int:
        """Returns about how many of them `read` will hold."""
        return self.count(split)

    def read(self, split: str) -> Part | StreamedPart:
        """Reads a whole split, in the order of the files.

        Raises:
          InputError: it cannot be read, or not whole, or lacks labels.
        """
        count = self.count(split)
        images = np.empty((count, *self.shape), np.uint8)
        labels = np.empty(count, np.int32)
        start = 0
        for x, y in self.batches(split):
            stop = start + len(y)
            images[start:stop], labels[start:stop] = x, y
            start = stop
        return Part(images, labels)

    def labelled(self, split: str) -> bool:
        """Returns True if the first example has a label; errors as of `read`.

        A split that hides its labels, as a test split may, hides all of them.
        """
        try:
            for example in self._examples(split, self.label).take(1):
                return int(example[self.label]) >= 0
        except tf.errors.OpError as error:
            raise self._unreadable(split, error) from error
        raise self._not_whole(split, 0)

    def batches(self, split: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields (images uint8 [B, H, W, C], labels [B]); errors as of `read`."""
        count, seen, labelled = self.count(split), 0, True
        try:
            for x, y in self._decoded(split):
                yield x, y
                seen += len(y)
                labelled &= bool((y >= 0).all())
        except tf.errors.OpError as error:
            raise self._unreadable(split, error) from error
        if seen != count or count == 0 or not labelled:
            raise self._not_whole(split, seen)

    def _unreadable(self, split: str, error: BaseException) -> InputError:
        return InputError(
            f"{self.builder.name}: split {split!r} cannot be read: "
            f"{first_line(error)}; prepare the set again"
        )

    def _not_whole(self, split: str, seen: int) -> InputError:
        return InputError(
            f"{self.builder.name}: split {split!r} has {seen} of "
            f"{self.count(split)} examples, or some without a label; prepare "
            f"the set again"
        )

    def _examples(self, split: str, *keys: str) -> tf.data.Dataset:
        import tensorflow_datasets as tfds

        features = dict.fromkeys(keys, True)
        return self.builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(features),
            read_config=tfds.ReadConfig(try_autocache=False),
        )

    def _decoded(self, split: str):
        def pair(example):
            image = example[self.image]
            if self.image_size is not None:
                image = resize(image, self.image_size)
            return image, example[self.label]

        dataset = self._examples(split, self.image, self.label)
        dataset = dataset.map(pair, num_parallel_calls=tf.data.AUTOTUNE)
        return dataset.batch(READ_BATCH).prefetch(2).as_numpy_iterator()


@dataclasses.dataclass(frozen=True)
class Streamed(Source):
    """A prepared set whose images stay in its files."""

    def read(self, split: str) -> StreamedPart:
        """Finds the examples of a split; labels are read, images are not.

        Raises:
          InputError: the files are not there, not whole or not of TFDS's
            usual format, or labels are lacking.
        """
        part, count = self._find(split), self.count(split)
        if part.size != count or count == 0 or (part.labels < 0).any():
            raise self._not_whole(split, part.size)
        return part

    def labelled(self, split: str) -> bool:
        """Returns True if any example has a label; errors as of `read`."""
        return bool((self._find(split).labels >= 0).any())

    def _find(self, split: str) -> StreamedPart:
        info = self.builder.info
        kind = info.file_format
        if kind is not None and kind.value != "tfrecord":
            raise InputError(
                f"{info.name}: `stream` reads TFDS's tfrecord files, and this "
                f"set is prepared as {kind.value}; prepare it as tfrecord"
            )
        paths = tuple(map(os.fspath, info.splits[split].filepaths))
        try:
            files, places, labels = find_examples(paths, self.label)
        except (OSError, ValueError) as error:
            raise self._unreadable(split, error) from error
        return StreamedPart(
            paths,
            files,
            places,
            labels.astype(np.int32),
            self.shape,
            self.image_size is not None,
            self._encoded(),
        )

    def _encoded(self):
        import tensorflow_datasets as tfds

        only = tfds.decode.PartialDecoding({self.image: True})
        features: Any = only.extract_features(self.builder.info.features)
        decoders = {self.image: tfds.decode.SkipDecoding()}

        def encoded(record):
            example = features.deserialize_example(record, decoders=decoders)
            return example[self.image]

        return encoded


@dataclasses.dataclass(frozen=True)
class FirstClasses(Source):
    """The first classes of a prepared set; no others are ever held.

    Attributes:
      classes: how many there are.
    """

    classes: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """Returns the classes' names in the order of the labels."""
        return super().class_names[: self.classes]

    def expected_size(self, split: str) -> int:
        """Returns the number of examples if all classes have equally many."""
        total = len(super().class_names)
        return -(-self.count(split) * self.classes // total)

    def read(self, split: str) -> Part:
        """Reads their examples of a split, in the order of the files.

        Raises:
          InputError: as of Source, or there is none.
        """
        images, labels = [], []
        for x, y in self.batches(split):
            wanted = y < self.classes
            images.append(x[wanted])
            labels.append(y[wanted])
        part = Part(np.concatenate(images), np.concatenate(labels).astype(np.int32))
        if not part.size:
            raise InputError(
                f"{self.builder.name}: split {split!r} has no example of the "
                f"first {self.classes} classes; choose another set"
            )
        return part


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's message, without its full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
