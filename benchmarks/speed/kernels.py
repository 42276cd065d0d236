"""Measures the milliseconds of each kernel of a convolutional search step.

    python -m benchmarks.speed.kernels

On feature maps of the paper's supernet, one thread for each kernel. Where ours
differs from TensorFlow's own way (networks/compiled/depthwise_gradients.py,
phases_read in networks/convolutions.py), both stand there. To call a compiled
function takes some of each time: see the last row, of next to no work.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import time
from collections.abc import Callable

import tensorflow as tf
from absl import flags

from darts_tf.networks.compiled import depthwise_gradients
from darts_tf.networks.convolutions import phases_read

flags.DEFINE_integer("batch_size", 16, "images", lower_bound=1)
flags.DEFINE_integer("calls", 20, "of each kernel in a row", lower_bound=1)
FLAGS = flags.FLAGS
MAPS = ((16, 32), (32, 16), (64, 8))
"""(channels, height and width) of the paper's cells."""
ROUNDS = 5


def main(_) -> None:
    """Prints a Markdown table, the best of the rounds."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    columns = [kernels(channels, side) for channels, side in MAPS]
    maps = " | ".join(f"{side} x {side} x {c}" for c, side in MAPS)
    print(f"| kernel | {maps} |")
    print("|---" * (len(MAPS) + 1) + "|")
    for name in columns[0]:
        times = (f"{milliseconds(column[name]):.3f}" for column in columns)
        print(f"| {name} | {' | '.join(times)} |", flush=True)


def kernels(channels: int, side: int) -> dict[str, Callable]:
    """Returns a call of each kernel, by name."""
    shape = [FLAGS.batch_size, side, side, channels]
    x, dy = tf.random.normal(shape), tf.random.normal(shape)
    rows, by_rows = (tf.reshape(t, [-1, channels]) for t in (x, dy))
    square = tf.random.normal([channels, channels])
    calls = {}
    for size in (3, 5):
        calls |= _depthwise(x, dy, size)
    return calls | {
        "1 x 1 convolution": lambda: tf.matmul(rows, square),
        "its kernel's gradient": lambda: tf.matmul(rows, by_rows, transpose_a=True),
        "two of four phases, slices": lambda: (
            x[:, ::2, ::2],
            x[:, 1::2, 1::2],
        ),
        "two of four phases, ours": lambda: phases_read(x, 2),
        "sum of two maps": lambda: x + dy,
        "sum of two numbers": lambda: x[0, 0, 0, 0] + dy[0, 0, 0, 0],
    }


def _depthwise(x, dy, size: int) -> dict[str, Callable]:
    kernel = tf.random.normal([size, size, x.shape[3], 1])
    form = depthwise_gradients.Form(*x.shape[1:3], size)
    name = f"depthwise {size} x {size}"
    by_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter
    calls = {
        name: lambda: form.y(x, kernel),
        f"{name}, input's gradient": lambda: form.dx(kernel, dy),
        f"{name}, kernel's gradient": lambda: by_kernel(
            input=x,
            filter_sizes=kernel.shape,
            out_backprop=dy,
            strides=[1, 1, 1, 1],
            padding="SAME",
        ),
    }
    if size > depthwise_gradients.COLUMNS:
        calls[f"{name}, kernel's gradient, in parts"] = lambda: form.dkernel(x, dy)
    return calls


def milliseconds(call: Callable) -> float:
    """Measures the milliseconds of one call, compiled."""
    call = tf.function(call, autograph=False)
    call()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(FLAGS.calls):
            call()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best / FLAGS.calls


if __name__ == "__main__":
    entry_point.run(main)
