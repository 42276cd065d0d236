"""Writes tensorflow_addons.npz: what tensorflow-addons 0.23.0 computes.

The library reached its end of life in May 2024 and cannot be imported beside
TensorFlow 2.16 or later, so this runs once, in an environment of its own,
and the tests compare with the file:

    python3.11 -m venv .venv-tfa
    .venv-tfa/bin/pip install "tensorflow==2.15.*" tensorflow-addons==0.23.0
    .venv-tfa/bin/python -P tests/oracles/tensorflow_addons.py

(-P, or this file is imported in place of the library that it is named after.)

Arrays (T steps, P the two tensors of a small problem, "0" and "1"):
  cutout_images float32 [B, H, W, C], cutout_centres int32 [B, 2],
  cutout_length, cutout_result float32 [B, H, W, C]; cutout_wide_* likewise.
  <run>_learning_rate, <run>_momentum, <run>_weight_decay: of a run;
  <run>_<p>_start, <run>_<p>_gradients [T, ...], <run>_<p>_path [T, ...]:
  a tensor before, its gradients, and the tensor after each step. Runs:
  sgdw_decay (SGDW, no momentum), sgdw_momentum (SGDW, no decay), average
  (SGD within MovingAverage), swa (SGD within SWA); the last two also have
  <run>_<p>_averages [T, ...].
"""

from __future__ import annotations

import pathlib

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

TARGET = pathlib.Path(__file__).with_suffix(".npz")
SHAPES = ((3, 4), (5,))
STEPS = 12
AVERAGE_DECAY = 0.9
SWA_START, SWA_PERIOD = 4, 2


def cutout(random: np.random.Generator, name: str, height, width, length):
    """Every pixel of a small image as the centre of one square."""
    centres = np.stack(np.mgrid[:height, :width], -1).reshape(-1, 2)
    centres = centres.astype(np.int32)
    shape = (len(centres), height, width, 2)
    images = random.normal(size=shape).astype(np.float32)
    result = tfa.image.cutout(
        images, (length, length), offset=centres, constant_values=0
    )
    return {
        f"{name}_images": images,
        f"{name}_centres": centres,
        f"{name}_length": length,
        f"{name}_result": result.numpy(),
    }


def run(random, name: str, optimizer, inner, averages: bool = False) -> dict:
    """The path of two tensors under given gradients."""
    starts = [random.normal(size=s).astype(np.float32) for s in SHAPES]
    variables = [tf.Variable(start) for start in starts]
    gradients = [random.normal(size=(STEPS, *s)).astype(np.float32) for s in SHAPES]
    paths, means = ([], []), ([], [])
    for t in range(STEPS):
        now = [tf.constant(g[t]) for g in gradients]
        optimizer.apply_gradients(zip(now, variables))
        for p, variable in enumerate(variables):
            paths[p].append(variable.numpy())
            if averages:
                slot = optimizer.get_slot(variable, "average")
                means[p].append(slot.numpy())
    out = {f"{name}_{key}": value for key, value in inner.items()}
    for p in range(len(SHAPES)):
        out[f"{name}_{p}_start"] = starts[p]
        out[f"{name}_{p}_gradients"] = gradients[p]
        out[f"{name}_{p}_path"] = np.stack(paths[p])
        if averages:
            out[f"{name}_{p}_averages"] = np.stack(means[p])
    return out


def main() -> None:
    """Writes the file beside this script."""
    random = np.random.default_rng(0)
    # SGDW subtracts weight_decay * w itself, whatever the learning rate.
    decay = {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 3e-2}
    momentum = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0}
    plain = {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": 0.0}
    legacy = tf.keras.optimizers.legacy.SGD
    average = tfa.optimizers.MovingAverage(legacy(0.1), average_decay=AVERAGE_DECAY)
    swa = tfa.optimizers.SWA(
        legacy(0.1), start_averaging=SWA_START, average_period=SWA_PERIOD
    )
    arrays = {
        "tensorflow_addons": tfa.__version__,
        "tensorflow": tf.__version__,
        "average_decay": AVERAGE_DECAY,
        "swa_start": SWA_START,
        "swa_period": SWA_PERIOD,
        **cutout(random, "cutout", 8, 7, 4),
        **cutout(random, "cutout_wide", 6, 6, 6),
        **run(random, "sgdw_decay", tfa.optimizers.SGDW(**decay), decay),
        **run(random, "sgdw_momentum", tfa.optimizers.SGDW(**momentum), momentum),
        **run(random, "average", average, plain, averages=True),
        **run(random, "swa", swa, plain, averages=True),
    }
    np.savez_compressed(TARGET, **arrays)


if __name__ == "__main__":
    main()
