"""Batches of images that are read as they are used: see batches.py.

The same contract and the same order: the batch of step s is a function of
(seed, s), since any example can be read at any time. What waits in memory are
a few batches, and the images that are being decoded.

Departures: mean and standard deviation are those of a sample. The randomness
of the augmentation is another than that of images in memory, since each image
has its own key. Several workers each make whole batches.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from darts_tf.data.images import batches, decode_and_crop
from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.batches import Statistics
from darts_tf.data.images.dataset import statistics_of
from darts_tf.data.images.streamed import StreamedPart

SAMPLE = 4096
"""Images that mean and standard deviation are taken of."""


def training_batches(
    part: StreamedPart,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    statistics: Statistics,
    augmentation: Augmentation | None = None,
) -> tf.data.Dataset:
    """Endless shuffled batches from `start_step` on; see batches.py.

    A resized crop is one of the original image; without it the centre is cut
    out, where images are cut at all.
    """
    steps = batches.steps_per_epoch(part, batch_size)
    batches.check_range("seed", seed, batches.MAX_SEED)
    last = tf.int64.max // batch_size - 1
    batches.check_range("start_step", start_step, last)
    if augmentation is not None:
        augmentation.check(part.image_shape)
    read = part.reader()

    def example(number):
        """The number counts examples, through all epochs."""
        index = batches.shuffled(number, steps * batch_size, part.size, seed)
        data, label = read(index)
        if augmentation is None:
            image = decode_and_crop.read_image(data, _still(part), part.image_shape)
            return batches.normalise(image, statistics), label
        key = tf.random.fold_in([seed, batches.AUGMENTATION], number, alg="philox")
        return _augmented(part, data, key, augmentation, statistics), label

    numbers = tf.data.Dataset.range(start_step * batch_size, tf.int64.max)
    dataset = batches.in_parallel(numbers, example)
    whole = dataset.batch(batch_size, drop_remainder=True)
    return batches.waiting(whole)


def ordered_batches(
    part: StreamedPart, *, batch_size: int, statistics: Statistics
) -> tf.data.Dataset:
    """Every example once, in order; the last batch may be smaller.

    Their centre, where images are cut. See batches.py.
    """
    batches.steps_per_epoch(part, batch_size)

    def finished(image):
        return batches.normalise(image, statistics)

    dataset = _plain(part, np.arange(part.size), finished)
    return batches.waiting(dataset.batch(batch_size), ahead=1)


def channel_statistics(part: StreamedPart) -> Statistics:
    """Mean and standard deviation of each channel, in pixel units.

    Of SAMPLE images, always the same ones, as they are measured; see
    parts.channel_statistics.
    """
    order = np.random.default_rng(0).permutation(part.size)[:SAMPLE]
    images = _plain(part, np.sort(order), tf.identity)
    some = batches.waiting(images.batch(64))
    return statistics_of(images for images, _ in some.as_numpy_iterator())


def _plain(part: StreamedPart, indices: np.ndarray, finished) -> tf.data.Dataset:
    """(image, label) as images are measured, after `finished`."""
    read = part.reader()

    def example(index):
        data, label = read(index)
        image = decode_and_crop.read_image(data, _still(part), part.image_shape)
        return finished(image), label

    numbers = tf.data.Dataset.from_tensor_slices(indices.astype(np.int64))
    return batches.in_parallel(numbers, example)


def _still(part: StreamedPart) -> decode_and_crop.Cut:
    """What is taken of an image where nothing is random."""
    return decode_and_crop.centre if part.cut else decode_and_crop.whole


def _augmented(part, data, key, augmentation, statistics) -> tf.Tensor:
    """Normalised float32 [H, W, C]."""
    pieces, moves, holes = tf.unstack(tf.random.split(key, 3, alg="philox"))
    cut = _still(part)
    if augmentation.resized_crop:
        cut = decode_and_crop.random_piece(pieces)
        augmentation = dataclasses.replace(augmentation, resized_crop=False)
    image = decode_and_crop.read_image(data, cut, part.image_shape)
    moved = augmentation.move(image[tf.newaxis], moves)
    return augmentation.hide(batches.normalise(moved, statistics), holes)[0]
