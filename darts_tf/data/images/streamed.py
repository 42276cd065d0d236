"""Parts whose labelled images stay in files and are read as they are used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StreamedPart:
    """A Part without pixels: the places of its examples in files.

    Attributes:
      paths: F TFRecord files.
      files: int32 [N], 0 to F - 1.
      places: int64 [N], in bytes, of an example's record in its file.
      labels: int32 [N], numbers of classes from 0.
      image_shape: (H, W, C) of an image once read.
      crop: whether images are cropped and scaled to this shape; else they
        have it already.
      encoded: maps a record, [] string, to the bytes of its image, [] string.
    """

    paths: tuple[str, ...]
    files: np.ndarray
    places: np.ndarray
    labels: np.ndarray
    image_shape: tuple[int, int, int]
    crop: bool
    encoded: Callable

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.image_shape))
        return f"StreamedPart({self.size:,} images {shape})"

    @property
    def size(self) -> int:
        """Returns N, the number of examples."""
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """Returns the bytes held in memory: places and labels."""
        return self.files.nbytes + self.places.nbytes + self.labels.nbytes

    def take(self, indices: np.ndarray) -> StreamedPart:
        """Returns a part of the examples at `indices`, [M] integers."""
        return dataclasses.replace(
            self,
            files=self.files[indices],
            places=self.places[indices],
            labels=self.labels[indices],
        )

    def concatenate(self, other: StreamedPart) -> StreamedPart:
        """Returns a part of the examples of both, which lie in the same files."""
        return dataclasses.replace(
            self,
            files=np.concatenate([self.files, other.files]),
            places=np.concatenate([self.places, other.places]),
            labels=np.concatenate([self.labels, other.labels]),
        )

    def reader(self) -> Callable:
        """Returns index [] int64 -> (image bytes [] string, label [] int32).

        The function is for use in a tf.data.Dataset, which captures the arrays instead
        of holding them in its graph.
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
    """Reads one record of a TFRecord file, [] string, and tests its checksum.

    Args:
      path: [] string.
      place: [] int64, the record's first byte in the file.
    """
    variant = tf.raw_ops.TFRecordDatasetV2(
        filenames=path[tf.newaxis],
        compression_type="",
        buffer_size=tf.constant(0, tf.int64),  # else the next records are read too
        byte_offsets=place[tf.newaxis],
    )
    spec = tf.TensorSpec([], tf.string)
    records = tf.data.experimental.from_variant(variant, spec)
    return records.take(1).get_single_element()
