"""Runs search steps as our column of benchmarks/speed/beside_pytorch.py.

Its sizes are flags of benchmarks/speed/search_step.py, which builds the search.
"""

from __future__ import annotations

from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import tensorflow as tf
from absl import app, flags

from benchmarks.speed import search_step, step_times, step_worker
from darts_tf.programs import setup
from darts_tf.strategy.darts import bilevel

flags.DEFINE_bool("weights_only", False, "no step on alpha")
FLAGS = flags.FLAGS


def main(_) -> None:
    """Takes steps by the protocol of step_worker."""
    setup.own_process()
    setup.supernet_options(FLAGS.space)
    loop = search_step.build_loop()
    step = weight_step if FLAGS.weights_only else step_times.advance
    peak = gpu_peak if tf.config.list_logical_devices("GPU") else None
    step_worker.serve(lambda: step(loop), peak)


def gpu_peak() -> int:
    """Returns the peak memory of the first GPU, in bytes."""
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def weight_step(loop) -> None:
    """Takes the half of a search step that moves w, and waits for it."""
    train, _ = loop.task.batches(loop.step)
    w = loop.weights.read()
    alpha, seed = loop.architecture.read(), tf.constant([0, 0])
    with loop.execution.active():
        g, loss, _ = bilevel.grad_w(loop.task.train_loss, w, alpha, train, seed)
    rate = loop.settings.learning_rate
    loop.weights.move(w, g, tf.constant(rate, tf.float32))
    float(loss)


if __name__ == "__main__":
    app.run(main)
