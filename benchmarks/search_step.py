"""Time to the first search step, time of a step, and peak memory.

    python -m benchmarks.search_step --method=finite_difference

One method in one process, since memory is not given back. Random images of
CIFAR-10's size: no value matters for the time. The first step counts from the
start of the process: imports, building and compiling included.
"""

from __future__ import annotations

from darts_tf.run import cli, quiet_tensorflow  # isort: skip  # noqa: F401

import json
import resource
import statistics
import time

import psutil
import tensorflow as tf
from absl import flags

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.conv import Supernet
from darts_tf.space import conv
from darts_tf.strategy import bilevel, relaxation, search_loop, tasks
from train import images, setup

flags.DEFINE_enum("method", "first_order", bilevel.METHODS, "of alpha")
flags.DEFINE_integer("channels", 16, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 8, "of the supernet", lower_bound=3)
flags.DEFINE_integer("batch_size", 64, "images", lower_bound=1)
flags.DEFINE_integer("steps", 5, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """One line of JSON; times in seconds, memory in GB."""
    setup.disable_grappler()
    loop = build_loop()
    built = age()
    advance(loop)
    first = age()
    times = []
    for _ in range(FLAGS.steps):
        start = time.monotonic()
        advance(loop)
        times.append(time.monotonic() - start)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    names = ("method", "channels", "layers", "batch_size")
    print(
        json.dumps(
            {n: FLAGS[n].value for n in names}
            | {
                "built": round(built, 1),
                "first_step": round(first, 1),
                "step": round(statistics.median(times), 3),
                "slowest_step": round(max(times), 3),
                "peak_gb": round(kilobytes / 1e6, 2),
            }
        )
    )


def age() -> float:
    """Seconds since this process started."""
    return time.time() - psutil.Process().create_time()


def advance(loop) -> None:
    """One step, waited for."""
    float(loop.advance()["train/loss"])


def build_loop() -> search_loop.Search:
    """The paper's search on random images."""
    model = Supernet(conv.SPACE, FLAGS.channels, FLAGS.layers, 10)
    start = relaxation.initial_alpha(conv.SPACE, 0)
    cells = relaxation.per_cell(start, conv.SPACE, model.kinds)
    images.build(model, (32, 32, 3), cells)
    pixels = tf.random.normal((FLAGS.batch_size, 32, 32, 3), seed=0)
    labels = tf.range(FLAGS.batch_size, dtype=tf.int32) % 10
    stream = tf.data.Dataset.from_tensors((pixels, labels)).repeat()
    replicas = Replicas()
    task = tasks.ImageTask(
        model, lambda step: stream, lambda step: stream, lambda: (), replicas
    )
    settings = search_loop.SearchSettings(
        FLAGS.method, 1, FLAGS.steps + 1, FLAGS.batch_size
    )
    return search_loop.Search(task, settings, replicas)


if __name__ == "__main__":
    cli.run(main)
