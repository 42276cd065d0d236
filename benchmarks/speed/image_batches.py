"""Images for the steps of benchmarks/speed/search_step.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.programs.image_data import Batches
from darts_tf.programs.images import ImageProgramTask

AUGMENTATION = {
    "crop_padding": 4,
    "flip": True,
    "cutout_length": 0,
    "resized_crop": False,
    "colour_jitter": 0.0,
}
"""Augmentation of configs/cifar10/search_*.flags."""


class Source:
    """Batches that can stop changing.

    Args:
      batches: given the number of finished steps, those that follow.

    Attributes:
      same: whether the last batch comes again and again.
    """

    def __init__(self, batches: Callable[[int], Iterable]):
        self._batches, self.same = batches, False

    def __call__(self, step: int) -> Iterator:
        """Yields batches without end."""
        iterator = iter(self._batches(step))
        batch = next(iterator)
        while True:
            yield batch
            if not self.same:
                batch = next(iterator)


@dataclasses.dataclass(frozen=True)
class Images:
    """The images that a search is timed on.

    Attributes:
      shape: (H, W, C).
      classes: how many.
      sources: of the batches for w, and of those for alpha.
    """

    shape: tuple[int, ...]
    classes: int
    sources: tuple[Source, Source]


def random_images(batch_size: int) -> Images:
    """Draws one batch of CIFAR-10's size."""
    shape, classes = (32, 32, 3), 10
    pixels = tf.random.normal((batch_size, *shape), seed=0)
    labels = tf.range(batch_size, dtype=tf.int32) % classes
    stream = tf.data.Dataset.from_tensors((pixels, labels)).repeat()
    return Images(shape, classes, (Source(lambda step: stream),) * 2)


def real_images(
    dataset: str, data_dir: str | None, batch_size: int, replicas: Replicas
) -> Images:
    """Loads a data set, divided, augmented and batched as a search does it."""
    config = SearchConfig(
        dataset=dataset, data_dir=data_dir, batch_size=batch_size, **AUGMENTATION
    )
    data = ImageProgramTask().search_data(config)
    train, valid = (Batches(config, data, part, replicas) for part in (0, 1))
    return Images(
        data.images.image_shape,
        data.images.num_classes,
        (Source(train.augmented), Source(valid.plain)),
    )
