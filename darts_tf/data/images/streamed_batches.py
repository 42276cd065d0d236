"""Makes batches of images that are read from files as they are used.

Contract and order are those of batches.py: the batch of step s is a function
of (seed, s), since any example can be read at any time. Only a few batches and
the images that are being decoded are in memory.

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
"""Number of images that mean and standard deviation are computed from."""


def training_batches(
    part: StreamedPart,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    statistics: Statistics,
    augmentation: Augmentation | None = None,
    rounds: int = batches.ROUNDS,
) -> tf.data.Dataset:
    """Makes endless shuffled batches from `start_step` on; see batches.py.

    Resized crops are taken of the original image; without them the centre is,
    if the part crops images.
    """
    steps = batches.steps_per_epoch(part, batch_size)
    batches.check_range("seed", seed, batches.MAX_SEED)
    last = tf.int64.max // batch_size - 1
    batches.check_range("start_step", start_step, last)
    if augmentation is not None:
        augmentation.check(part.image_shape)
    read = part.reader()

    def example(number):
        """Reads an example; numbers count through all epochs."""
        used = steps * batch_size
        index = batches.shuffled_index(number, used, part.size, seed, rounds)
        data, label = read(index)
        if augmentation is None:
            crop = _fixed_crop(part)
            image = decode_and_crop.read_image(data, crop, part.image_shape)
            return batches.normalise(image, statistics), label
        key = tf.random.fold_in([seed, batches.AUGMENTATION], number, alg="philox")
        return _augmented(part, data, key, augmentation, statistics), label

    numbers = tf.data.Dataset.range(start_step * batch_size, tf.int64.max)
    dataset = batches.parallel_map(numbers, example)
    whole = dataset.batch(batch_size, drop_remainder=True)
    return batches.prefetched(whole)


def ordered_batches(
    part: StreamedPart, *, batch_size: int, statistics: Statistics
) -> tf.data.Dataset:
    """Makes batches of every example once, in order; see batches.py.

    Images are their centres, if the part crops images.
    """
    batches.steps_per_epoch(part, batch_size)

    def finish(image):
        return batches.normalise(image, statistics)

    dataset = _plain(part, np.arange(part.size), finish)
    return batches.prefetched(dataset.batch(batch_size), ahead=1)


def channel_statistics(part: StreamedPart) -> Statistics:
    """Computes mean and standard deviation of each channel, in pixel units.

    They are those of SAMPLE images, always the same ones, cropped as for
    measuring; see dataset.channel_statistics.
    """
    order = np.random.default_rng(0).permutation(part.size)[:SAMPLE]
    images = _plain(part, np.sort(order), tf.identity)
    sample = batches.prefetched(images.batch(64))
    return statistics_of(images for images, _ in sample.as_numpy_iterator())


def _plain(part: StreamedPart, indices: np.ndarray, finish) -> tf.data.Dataset:
    """Reads (image, label), cropped as for measuring and mapped by `finish`."""
    read = part.reader()

    def example(index):
        data, label = read(index)
        image = decode_and_crop.read_image(data, _fixed_crop(part), part.image_shape)
        return finish(image), label

    numbers = tf.data.Dataset.from_tensor_slices(indices.astype(np.int64))
    return batches.parallel_map(numbers, example)


def _fixed_crop(part: StreamedPart) -> decode_and_crop.Crop:
    """Returns the crop of images that are not augmented."""
    return decode_and_crop.centre if part.crop else decode_and_crop.whole


def _augmented(part, data, key, augmentation, statistics) -> tf.Tensor:
    """Returns an augmented and normalised image, float32 [H, W, C]."""
    crops, moves, holes = tf.unstack(tf.random.split(key, 3, alg="philox"))
    crop = _fixed_crop(part)
    if augmentation.resized_crop:
        crop = decode_and_crop.random_crop(crops)
        augmentation = dataclasses.replace(augmentation, resized_crop=False)
    image = decode_and_crop.read_image(data, crop, part.image_shape)
    images = augmentation.move(image[tf.newaxis], moves)
    return augmentation.hide(batches.normalise(images, statistics), holes)[0]
