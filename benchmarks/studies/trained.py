"""Trains supernets for some weight steps, and makes batches to measure them on."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from darts_tf.data.images.batches import training_batches
from darts_tf.data.images.loading import channel_statistics
from darts_tf.descent.optimizers import SGD
from darts_tf.strategy.darts import bilevel, relaxation

SEED = tf.constant([0, 0])
"""Seed of the random numbers of a pass."""


def built(model, shape, dtype: str, seed: int):
    """Returns (model, its weights, alpha at its start), in this precision.

    Args:
      model: makes the supernet, once the precision is set.
      shape: (H, W, channels) of an image.
      dtype: "float32" or "float64".
      seed: of the weights and of alpha.
    """
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    keras.utils.set_random_seed(seed)
    model = model()
    start = relaxation.initial_alpha(model.space, seed)
    alpha = [tf.constant(rows, dtype) for rows in start]
    model.build((None, *shape))
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    return model, w, alpha


def stages(loss, w, alpha, stream, sgd: SGD, rate: float, wanted) -> Iterator:
    """Yields (number, w, momentum buffers) after each wanted number of steps.

    Args:
      loss: L_train.
      w, alpha: where it starts; alpha stays.
      stream: an iterator over batches.
      sgd, rate: the optimizer, and its learning rate.
      wanted: numbers of steps, ascending.
    """

    @tf.function
    def step(w, slots, batch):
        g, value, _ = bilevel.grad_w(loss, w, alpha, batch, SEED)
        return *sgd.step(w, g, slots, tf.constant(rate)), value

    slots, number = sgd.slots(w), 0
    for stage in wanted:
        while number < stage:
            w, slots, value = step(w, slots, next(stream))
            number += 1
        if stage:
            print(f"step {number}: L_train {float(value):.3f}", flush=True)
        yield stage, w, slots


def batches(part, size: int, seed: int, dtype=tf.float32):
    """Yields real batches, not augmented."""
    dataset = training_batches(
        part,
        batch_size=size,
        seed=seed,
        start_step=0,
        statistics=channel_statistics(part.images),
    )
    return dataset.map(lambda x, y: (tf.cast(x, dtype), y))


def flat(tensors) -> np.ndarray:
    """Returns all numbers of a list of tensors, [N]."""
    return np.concatenate([np.ravel(t) for t in tensors])


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    """Returns the cosine of the angle between two vectors [N]."""
    return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
