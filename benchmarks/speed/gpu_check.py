"""Checks that a search step on the GPU computes what it computes on the CPU.

    python -m benchmarks.speed.gpu_check --device=gpu

Same weights, same batch, float32 without TF32: the gradient of w and the three
gradients of alpha, compiled on the device as a search compiles them, against
eager ones on the CPU. One line of JSON with the relative differences (of
Euclidean norms) and whether each is within its TOLERANCE; exit code 1 where
one is not, 2 without a GPU.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from darts_tf import config
from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.programs import images, setup
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.darts.primitives import active

TOLERANCE = {
    "weights": 0.01,
    "first_order": 0.01,
    "finite_difference": 0.1,
    "exact": 0.03,
}
"""Above rounding: where rounding turns a ReLU or a max pool, a gradient jumps,
and eq. 8 divides that by a short step."""

SHAPE, CLASSES = (32, 32, 3), 10

flags.DEFINE_enum("device", "gpu", ("gpu", "cpu"), "that is checked")
flags.DEFINE_integer("channels", 8, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 4, "of the supernet", lower_bound=3)
flags.DEFINE_integer("batch_size", 16, "images", lower_bound=1)
flags.DEFINE_enum("jit", "off", config.names(config.Jit), "as train.search")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Prints the differences; returns 1 if one is above its tolerance."""
    setup.disable_grappler()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if FLAGS.device == "gpu" and not tf.config.list_logical_devices("GPU"):
        raise InputError(
            "TensorFlow sees no GPU here: this needs one, with its driver and "
            "tensorflow[and-cuda]; --device=cpu tries the program itself"
        )
    compiled = Execution(Replicas("one_device", "off"))
    with tf.device("CPU:0"):
        wanted = gradients(None)
    with tf.device(f"{FLAGS.device}:0"):
        on_device = gradients(compiled)
    rows = {name: difference(on_device[name], wanted[name]) for name in wanted}
    good = {name: rows[name] <= TOLERANCE[name] for name in rows}
    print(json.dumps({"difference": rows, "tolerance": TOLERANCE, "within": good}))
    return 0 if all(good.values()) else 1


def gradients(execution: Execution | None) -> dict[str, np.ndarray]:
    """Returns each gradient as one row, of a supernet made anew and always equal."""
    keras.utils.set_random_seed(0)
    w, alpha, loss, has_directional_derivatives = network()
    exact = (
        bilevel.forward_over_reverse
        if has_directional_derivatives
        else bilevel.reverse_over_reverse
    )
    generator = np.random.default_rng(0)
    batches = [random_batch(generator) for _ in range(2)]
    sgd, seed = SGD(0.9, 3e-4, 5.0), tf.constant([0, 0])
    unroll = bilevel.Unroll(sgd, sgd.slots(w), tf.constant(0.025))
    with active(execution):
        g, *_ = bilevel.grad_w(loss, w, alpha, batches[0], seed)
        rows = {"weights": as_row(g)}
        for method in bilevel.METHODS:
            implicit = bilevel.implicit_term(method, exact)
            g, *_ = bilevel.architecture_gradient(
                loss, w, alpha, *batches, seed, unroll, implicit
            )
            rows[method] = as_row(g)
    return rows


def network():
    """Returns (w, alpha, L, whether slopes are known) of the paper's supernet."""
    model = images.supernet(
        SPACE, FLAGS.channels, FLAGS.layers, CLASSES, xla=FLAGS.jit == "on"
    )
    start = relaxation.initial_alpha(SPACE, 0)
    model.build((None, *SHAPE))
    generator = np.random.default_rng(1)
    w = [
        tf.constant(_start(v.shape, generator), tf.float32)
        for v in model.trainable_variables
    ]
    alpha = [tf.constant(rows) for rows in start]
    return w, alpha, relaxation.supernet_loss(model), model.has_directional_derivatives


def _start(shape, generator):
    """Draws a start of a kernel's size by numpy, the same on any device."""
    fan_in = np.prod(shape[:-1]) if len(shape) > 1 else shape[0]
    return generator.uniform(-1, 1, shape) / np.sqrt(fan_in)


def random_batch(generator):
    """Draws a batch (images, labels)."""
    pixels = generator.standard_normal((FLAGS.batch_size, *SHAPE))
    labels = generator.integers(0, CLASSES, FLAGS.batch_size)
    return tf.constant(pixels, tf.float32), tf.constant(labels, tf.int32)


def as_row(values) -> np.ndarray:
    """Returns all elements of all tensors as one row."""
    return np.concatenate([np.ravel(v) for v in values])


def difference(value, wanted) -> float:
    """Returns the relative difference of Euclidean norms."""
    return float(np.linalg.norm(value - wanted) / np.linalg.norm(wanted))


if __name__ == "__main__":
    entry_point.run(main)
