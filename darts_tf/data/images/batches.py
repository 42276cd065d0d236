"""Makes batches of images in memory, as a pure function of (seed, step).

A run can stop anywhere and go on exactly there: the batch of step s is the
same whether the data set was started at step 0 or at s.

Departures: every epoch has floor(N / batch_size) steps and another order, so
the remainder that an epoch leaves out differs from epoch to epoch (the
authors' loader keeps a smaller last batch). A compiled step then sees one
shape only.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf

from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.dataset import Part
from darts_tf.data.images.streamed import StreamedPart
from darts_tf.errors import InputError

__all__ = [
    "Augmentation",
    "check_range",
    "ordered_batches",
    "prefetched_map",
    "steps_per_epoch",
    "training_batches",
]

Statistics = tuple[np.ndarray, np.ndarray]
INDEX_SHUFFLE = 498247692  # what index_shuffle puts before a seed of two numbers
AUGMENTATION = 1  # keeps its randomness apart from other uses of the seed
MAX_SEED = 2**31 - 1
ROUNDS = 16
"""Rounds of the cipher that orders the examples of an epoch.

With TensorFlow's own 4 the orders of successive epochs are alike: at 25,000 examples
the one at a place predicts the one at that place an epoch later (correlation 0.36).
"""
WORKERS = min(os.cpu_count() or 1, 16)  # batches in the making at once
AHEAD = 4  # batches that wait, made


def steps_per_epoch(part: Part | StreamedPart, batch_size: int) -> int:
    """Returns floor(N / batch_size), the whole batches of a part.

    Raises:
      InputError: the batch is empty or larger than the part.
    """
    if batch_size < 1:
        raise InputError(f"`batch_size` must be at least 1; received {batch_size}")
    if batch_size > part.size:
        raise InputError(
            f"`batch_size={batch_size}` is larger than the split, which has "
            f"{part.size} examples; give at most that"
        )
    return part.size // batch_size


def training_batches(
    part: Part,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    statistics: Statistics,
    augmentation: Augmentation | None = None,
    rounds: int = ROUNDS,
) -> tf.data.Dataset:
    """Makes endless shuffled batches from `start_step` on.

    Args:
      part: N examples, [N, H, W, C].
      batch_size: B, examples a step.
      seed: 0 to 2**31 - 1; decides order and augmentation.
      start_step: how many steps are done already.
      statistics: (mean [C], std [C]) in pixel units, of the training part.
      augmentation: None for none.
      rounds: of the order's cipher, an even number of at least 4 (ROUNDS).

    Returns:
      elements (images float32 [B, H, W, C] normalised, labels int32 [B]).

    Raises:
      InputError: a batch larger than the part, a seed or step out of range,
        or a cutout larger than the images.
    """
    steps = steps_per_epoch(part, batch_size)
    check_range("seed", seed, MAX_SEED)
    check_range("start_step", start_step, tf.int64.max - 1)
    if augmentation is not None:
        augmentation.check(part.image_shape)
    images, labels = _on_host(part)

    def batch(step):
        indices = _indices(part.size, batch_size, steps, seed, step, rounds)
        x = tf.gather(images, indices)
        y = tf.ensure_shape(tf.gather(labels, indices), [batch_size])
        x = tf.ensure_shape(x, [batch_size, *part.image_shape])
        if augmentation is None:
            return normalise(x, statistics), y
        key: Any = tf.random.fold_in([seed, AUGMENTATION], step, alg="philox")
        moves, holes = tf.unstack(tf.random.split(key, 2, alg="philox"))
        x = normalise(augmentation.move(x, moves), statistics)
        return augmentation.hide(x, holes), y

    numbers = tf.data.Dataset.range(start_step, tf.int64.max)
    return prefetched_map(numbers, batch)


def ordered_batches(
    part: Part, *, batch_size: int, statistics: Statistics
) -> tf.data.Dataset:
    """Makes batches of every example once, in order; the last may be smaller.

    Args:
      part: N examples, [N, H, W, C].
      batch_size: B, the most examples of a batch.
      statistics: (mean [C], std [C]) in pixel units, of the training part.

    Returns:
      elements (images float32 [B, H, W, C] normalised, labels int32 [B]).

    Raises:
      InputError: the batch is empty or larger than the part.
    """
    steps_per_epoch(part, batch_size)
    images, labels = _on_host(part)

    def batch(start):
        stop = tf.minimum(start + batch_size, part.size)
        return normalise(images[start:stop], statistics), labels[start:stop]

    starts = tf.data.Dataset.range(0, part.size, batch_size)
    return prefetched_map(starts, batch)


def check_range(name: str, value: int, largest: int) -> None:
    """Raises an InputError unless the argument `name` is 0 to `largest`."""
    if not 0 <= value <= largest:
        raise InputError(f"`{name}` must be 0 to {largest}; received {value}")


def _on_host(part: Part) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes tensors that a Dataset captures instead of holding in its graph."""
    with tf.device("CPU:0"):
        labels = tf.constant(part.labels, tf.int32)
        return tf.constant(part.images), labels


def _indices(size: int, batch_size: int, steps: int, seed: int, step, rounds: int):
    """Returns the examples of a step, int64 [B], from its epoch's permutation."""
    epoch, place = step // steps, step % steps
    positions = place * batch_size + tf.range(batch_size, dtype=tf.int64)
    return permute(positions, epoch, size, seed, rounds)


def shuffled_index(
    number, per_epoch: int, size: int, seed: int, rounds: int = ROUNDS
) -> tf.Tensor:
    """Returns the index of an example by its number, int64 [].

    The order is that of `training_batches`: the example of number s B + i is
    the i-th of step s.

    Args:
      number: int64 [], counting examples through all epochs.
      per_epoch: examples that an epoch uses.
      size: N, the number of examples.
      seed, rounds: of the order.
    """
    return permute(number % per_epoch, number // per_epoch, size, seed, rounds)


def permute(positions, epoch, size: int, seed: int, rounds: int) -> tf.Tensor:
    """Returns the examples at some places of an epoch's order, int64 like positions.

    With 4 rounds this is tf.random.experimental.index_shuffle, number for number.

    Args:
      positions: int64, 0 to size - 1.
      epoch: int64 [], counted from 0.
      size: N, the number of examples.
      seed, rounds: of the order.
    """
    key = tf.stack([tf.constant(INDEX_SHUFFLE, tf.int64), seed, epoch])
    return tf.raw_ops.RandomIndexShuffle(
        index=positions,
        seed=key,
        max_index=tf.constant(size - 1, tf.int64),
        rounds=rounds,
    )


def normalise(images, statistics: Statistics) -> tf.Tensor:
    """Computes (x - mean) / std for each channel, uint8 -> float32."""
    mean, std = statistics
    return (tf.cast(images, tf.float32) - mean) / std


def prefetched_map(numbers: tf.data.Dataset, batch) -> tf.data.Dataset:
    """Maps numbers to batches, in order and ahead of their use."""
    return prefetched(parallel_map(numbers, batch))


def parallel_map(numbers: tf.data.Dataset, make) -> tf.data.Dataset:
    """Maps numbers by `make`, WORKERS at once, in order."""
    return numbers.map(make, num_parallel_calls=WORKERS, deterministic=True)


def prefetched(dataset: tf.data.Dataset, ahead: int = AHEAD) -> tf.data.Dataset:
    """Makes `ahead` batches in advance.

    Autotuning is off: its thread sleeps longer and longer, up to a minute,
    and the iterator's end waits for it.
    """
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    return dataset.prefetch(ahead).with_options(options)
