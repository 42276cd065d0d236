"""Compares TensorFlow's operations with oneDNN's kernels to those without.

    python -m benchmarks.speed.onednn

Values and gradients of what supernets and networks are made of, at many sizes,
on the CPU, computed by two processes: one with TF_ENABLE_ONEDNN_OPTS=0, one
with 1. Prints each array that differs by more than 1e-4 of its largest element,
and how many there were. TensorFlow's own switch is read when it is imported,
hence the processes.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from absl import flags

flags.DEFINE_string("arrays", None, "(its own processes) the .npz to write")
FLAGS = flags.FLAGS

TOLERANCE = 1e-4
KERNELS = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1), (2, 2)
CHANNELS = (
    (1, 1),
    (2, 3),
    (3, 16),
    (4, 4),
    (7, 5),
    (8, 8),
    (3, 48),
    (16, 16),
    (17, 33),
    (64, 16),
    (32, 64),
)
IMAGES = (8, 8), (9, 7), (16, 16)
MATRICES = (1, 3, 8, 35), (1, 5, 16, 300), (1, 4, 33, 850)


def main(_) -> None:
    """Writes one side's arrays, or runs both sides and prints their differences."""
    if FLAGS.arrays:
        np.savez(FLAGS.arrays, **arrays())
        return
    with tempfile.TemporaryDirectory() as folder:
        off, on = (side(pathlib.Path(folder), value) for value in "01")
    differing = 0
    for name, expected in off.items():
        share = difference(expected, on[name])
        if not share <= TOLERANCE:
            differing += 1
            print(f"{name}: differs by {share:.2g} of its largest element")
    print(f"{differing} of {len(off)} arrays differ by more than {TOLERANCE:g}")


def side(folder: pathlib.Path, value: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a process with this TF_ENABLE_ONEDNN_OPTS."""
    path = folder / f"{value}.npz"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.onednn", f"--arrays={path}"],
        env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": value, "CUDA_VISIBLE_DEVICES": "-1"},
        check=True,
    )
    return dict(np.load(path))


def difference(expected: np.ndarray, actual: np.ndarray) -> float:
    """Returns the largest difference as a share of the largest element, or of 1."""
    return np.abs(expected - actual).max() / max(np.abs(expected).max(), 1)


def arrays() -> dict[str, np.ndarray]:
    """Returns values and gradients of every case, of one seed, by name."""
    draw = np.random.default_rng(0)
    known = {}
    for name, function, *shapes in cases():
        inputs = [tf.constant(draw.normal(size=s), tf.float32) for s in shapes]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
            weights = tf.constant(draw.normal(size=value.shape), tf.float32)
            total = tf.reduce_sum(value * weights)
        known[f"{name}, value"] = value.numpy()
        for which, gradient in enumerate(tape.gradient(total, inputs)):
            known[f"{name}, gradient of input {which}"] = gradient.numpy()
    return known


def cases() -> Iterator[tuple]:
    """Yields a name, a function, and the shapes of its arguments."""
    yield from _convolutions()
    for size, stride, padding, c, (h, w) in itertools.product(
        (3, 5, 7), (1, 2), ("VALID", "SAME"), (1, 3, 4, 7, 8, 16, 17, 36), IMAGES
    ):
        yield (
            f"depthwise {size}, stride {stride}, {padding}, {h} x {w} x {c}",
            lambda x, k, s=stride, p=padding: tf.nn.depthwise_conv2d(
                x, k, [1, s, s, 1], p
            ),
            (4, h, w, c),
            (size, size, c, 1),
        )
    pools = {"max": tf.nn.max_pool2d, "average": tf.nn.avg_pool2d}
    for kind, size, stride, padding, c in itertools.product(
        pools, (2, 3, 5), (1, 2, 3), ("VALID", "SAME"), (1, 3, 8, 17)
    ):
        yield (
            f"{kind} pool {size}, stride {stride}, {padding}, {c} channels",
            lambda x, f=pools[kind], k=size, s=stride, p=padding: f(x, k, s, p),
            (4, 9, 8, c),
        )
    yield from _element_by_element()
    for m, inner, n in itertools.product(*MATRICES):
        for a, b in itertools.product((False, True), repeat=2):
            yield (
                f"product {m} x {inner} x {n}, transposed {a}, {b}",
                lambda x, y, a=a, b=b: tf.matmul(x, y, a, b),
                (inner, m) if a else (m, inner),
                (n, inner) if b else (inner, n),
            )


def _convolutions() -> Iterator[tuple]:
    for (k, q), stride, padding, (c, out), (h, w), b in itertools.product(
        KERNELS, (1, 2, 3), ("VALID", "SAME", "zeros"), CHANNELS, IMAGES, (1, 4)
    ):
        zeros = [[0, 0], [(k - 1) // 2] * 2, [(q - 1) // 2] * 2, [0, 0]]
        pads = zeros if padding == "zeros" else padding
        yield (
            f"convolution {k} x {q}, stride {stride}, {padding}, "
            f"{b} x {h} x {w} x {c} to {out}",
            lambda x, y, s=stride, p=pads: tf.nn.conv2d(x, y, s, p),
            (b, h, w, c),
            (k, q, c, out),
        )


def _element_by_element() -> Iterator[tuple]:
    names = "relu", "elu", "sigmoid", "tanh", "softmax", "log_softmax"
    for c in (1, 3, 8, 17):
        for name in names:
            yield f"{name}, {c} channels", getattr(tf.nn, name), (4, 9, 8, c)
        yield f"bias, {c} channels", tf.nn.bias_add, (4, 9, 8, c), (c,)
        for training in (False, True):
            yield (
                f"batch norm, {c} channels, training {training}",
                lambda x, k, c=c, t=training: tf.raw_ops.FusedBatchNormV3(
                    x=x,
                    scale=k,
                    offset=k,
                    is_training=t,
                    mean=[] if t else tf.zeros(c),
                    variance=[] if t else tf.ones(c),
                )[0],
                (4, 9, 8, c),
                (c,),
            )


if __name__ == "__main__":
    entry_point.run(main)
