"""Eq. 8 and the exact implicit term, beside brute force, on real images.

    python -m benchmarks.implicit_term --dataset=cifar10 --data_dir=DIR

In float64. Prints, for a batch size and after some weight steps: the cosine
of eq. 8's implicit term with the exact one and the ratio of their lengths,
for several lengths of eq. 8's step; and the derivative of L_val(w'(alpha),
alpha) along a random direction by central differences of several widths,
divided by what the exact gradient says (1 where they agree).
"""

from __future__ import annotations

from darts_tf.run import cli, quiet_tensorflow  # isort: skip  # noqa: F401

import json

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from darts_tf.data.batches import training_batches
from darts_tf.data.images import channel_statistics, load_images
from darts_tf.descent.optimizers import SGD
from darts_tf.networks.conv import Supernet
from darts_tf.space import conv
from darts_tf.strategy import bilevel, relaxation

flags.DEFINE_string("dataset", "cifar10", "as in train.search")
flags.DEFINE_string("data_dir", None, "folder of the data")
flags.DEFINE_integer("channels", 16, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 8, "of the supernet", lower_bound=3)
flags.DEFINE_integer("batch_size", 16, "images", lower_bound=1)
flags.DEFINE_integer("steps", 0, "weight steps before", lower_bound=0)
flags.DEFINE_integer("seed", 0, "of everything random", lower_bound=0)
FLAGS = flags.FLAGS

LENGTHS = (1e-1, 1e-2, 1e-3, 1e-5, 1e-7)
WIDTHS = (1e-3, 1e-5, 1e-7)
RATE = 0.025
SEED = tf.constant([0, 0])


def main(_) -> None:
    """One line of JSON."""
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(FLAGS.seed)
    images = load_images(FLAGS.dataset, data_dir=FLAGS.data_dir)
    stream = iter(batches(images.train))
    model = Supernet(
        conv.SPACE, FLAGS.channels, FLAGS.layers, images.num_classes
    )
    alpha = [
        tf.constant(a, tf.float64)
        for a in relaxation.initial_alpha(conv.SPACE, FLAGS.seed)
    ]
    train, valid = next(stream), next(stream)
    cells = relaxation.per_cell(alpha, conv.SPACE, model.kinds)
    model(train[0][:1], cells)
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    loss, sgd = relaxation.supernet_loss(model), SGD(0.9, 3e-4, 5.0)
    slots = sgd.slots(w)
    for _ in range(FLAGS.steps):
        g, _, _ = bilevel.weight_gradient(loss, w, alpha, next(stream), SEED)
        w, slots = sgd.step(w, g, slots, RATE)
    print(json.dumps(compare(loss, sgd, w, slots, alpha, train, valid)))


def batches(part):
    """Real batches in float64, not augmented."""
    dataset = training_batches(
        part,
        batch_size=FLAGS.batch_size,
        seed=FLAGS.seed,
        start_step=0,
        statistics=channel_statistics(part.images),
    )
    return dataset.map(lambda x, y: (tf.cast(x, tf.float64), y))


def flat(tensors) -> np.ndarray:
    """All numbers of a list of tensors, [N]."""
    return np.concatenate([np.ravel(t) for t in tensors])


def compare(loss, sgd, w, slots, alpha, train, valid) -> dict:
    """The figures that the module's docstring names."""
    g, _, _ = bilevel.weight_gradient(loss, w, alpha, train, SEED)
    unrolled, _ = sgd.step(w, g, slots, RATE)
    v, direct, _ = bilevel.both_gradients(loss, unrolled, alpha, valid, SEED)
    u = sgd.pull_back(w, g, slots, RATE, v)
    exact = flat(bilevel.mixed_product(loss, w, alpha, train, SEED, u))
    result = {n: FLAGS[n].value for n in ("channels", "layers", "batch_size")}
    result |= {"steps": FLAGS.steps, "seed": FLAGS.seed}
    result["implicit_to_direct"] = float(
        np.linalg.norm(exact) / np.linalg.norm(flat(direct))
    )
    for length in LENGTHS:
        epsilon = bilevel.difference_step(u, length)
        up, down = (
            flat(bilevel.alpha_gradient(loss, point, alpha, train, SEED)[0])
            for point in bilevel.perturb(w, u, epsilon)
        )
        term = (up - down) / (2 * float(epsilon))
        sizes = np.linalg.norm(term), np.linalg.norm(exact)
        result[f"eq8 {length:g}"] = {
            "cosine": float(term @ exact / np.prod(sizes)),
            "length": float(sizes[0] / sizes[1]),
        }
    d = np.random.default_rng(FLAGS.seed).standard_normal(exact.size)
    slope = float(d @ (flat(direct) + exact))

    def value(shift: float) -> float:
        moved = shifted(alpha, shift * d)
        g, _, _ = bilevel.weight_gradient(loss, w, moved, train, SEED)
        there, _ = sgd.step(w, g, slots, RATE)
        return float(loss(there, moved, valid, SEED)[0])

    for h in WIDTHS:
        brute = (value(h) - value(-h)) / (2 * h)
        result[f"brute {h:g} / exact"] = brute / slope
    return result


def shifted(alpha, numbers: np.ndarray):
    """alpha plus numbers [N], in the order of `flat`."""
    sizes = np.cumsum([tf.size(a) for a in alpha])[:-1]
    parts = np.split(numbers, sizes)
    return [a + p.reshape(a.shape) for a, p in zip(alpha, parts, strict=True)]


if __name__ == "__main__":
    cli.run(main)
