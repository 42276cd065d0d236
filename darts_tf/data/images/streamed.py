"""Labelled images that stay in files and are read as they are used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False)
class StreamedPart:
    """What a Part is, without its pixels: where each example lies.

    Attributes:
      paths: F TFRecord files.
      files: int32 [N], 0 to F - 1.
      places: int64 [N], in bytes, of an example's record in its file.
      labels: int32 [N], numbers of classes from 0.
      image_shape: (H, W, C) of an image once read.
      cut: whether images are cut and scaled to this shape; else they have it
        already.
      encoded: a record, [] string -> the bytes of its image, [] string.
    """

    paths: tuple[str, ...] = dataclasses.field(repr=False)
    files: np.ndarray = dataclasses.field(repr=False)
    places: np.ndarray = dataclasses.field(repr=False)
    labels: np.ndarray = dataclasses.field(repr=False)
    image_shape: tuple[int, int, int]
    cut: bool
    encoded: Callable = dataclasses.field(repr=False)

    @property
    def size(self) -> int:
        """N, the number of examples."""
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """What is held in memory."""
        return self.files.nbytes + self.places.nbytes + self.labels.nbytes

    def take(self, indices: np.ndarray) -> StreamedPart:
        """A part of the examples at `indices`, [M] integers."""
        return dataclasses.replace(
            self,
            files=self.files[indices],
            places=self.places[indices],
            labels=self.labels[indices],
        )

    def joined(self, other: StreamedPart) -> StreamedPart:
        """The examples of both, which lie in the same files."""
        return dataclasses.replace(
            self,
            files=np.concatenate([self.files, other.files]),
            places=np.concatenate([self.places, other.places]),
            labels=np.concatenate([self.labels, other.labels]),
        )

    def reader(self) -> Callable:
        """index, [] int64 -> (its image's bytes [] string, label [] int32).

        For the functions of a tf.data.Dataset, whose graph holds none of
        this: the arrays are captured.
        """
        with tf.device("CPU:0"):
            paths = tf.constant(self.paths)
            files, places = tf.constant(self.files), tf.constant(self.places)
            labels = tf.constant(self.labels)

        def read(index):
            record = record_at(paths[files[index]], places[index])
            return self.encoded(record), labels[index]

        return read


def record_at(path, place) -> tf.Tensor:
    """One record of a TFRecord file, [] string; its checksum is tested.

    Args:
      path: [] string.
      place: [] int64, of the record in the file, in bytes.
    """
    variant = tf.raw_ops.TFRecordDatasetV2(
        filenames=path[tf.newaxis],
        compression_type="",
        buffer_size=tf.constant(0, tf.int64),  # or the next ones come along
        byte_offsets=place[tf.newaxis],
    )
    spec = tf.TensorSpec([], tf.string)
    records = tf.data.experimental.from_variant(variant, spec)
    return records.take(1).get_single_element()
