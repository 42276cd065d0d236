r"""Compares Lambda-DARTS's derivative by a difference with the exact one.

    python -m benchmarks.studies.alignment_gradient.measure --data_dir=DIR \
        --out=FILE.jsonl

A supernet is trained by --stage weight steps in float32 (alpha stays at its
start). Then, in float64 and for each of --batch_sizes, the derivative
d/dw sum_l <d L_train / d p_l, u_l>
(darts_tf/strategy/lambda_darts/regularizer.py) is taken exactly and by central
differences of several lengths epsilon_0. Of each difference: its cosine with
the exact one, and its length over that one's; of the exact one: its length over
that of grad_w L_train, so that lambda times it is what the regulariser adds.
Appends a line for each size and batch to --out and prints all of its lines as a
Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import functools
import itertools
import json
import pathlib
import time

import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.speed import step_sizes
from benchmarks.studies.trained import SEED, batches, built, cosine, flat, stages
from darts_tf.data.images.loading import load_images
from darts_tf.descent.optimizers import SGD
from darts_tf.programs import images as image_runs
from darts_tf.programs import setup
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.lambda_darts import regularizer

flags.DEFINE_string("dataset", "cifar10", "as in train.search")
flags.DEFINE_string("data_dir", None, "folder of the data")
flags.DEFINE_integer("image_size", 32, "pixels", lower_bound=8)
flags.DEFINE_string("space", "nasbench201", "of images")
flags.DEFINE_integer("channels", 8, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 6, "of the supernet", lower_bound=3)
flags.DEFINE_list("batch_sizes", ["32"], "images")
flags.DEFINE_integer("stage", 300, "weight steps before", lower_bound=0)
flags.DEFINE_integer("train_batch", 32, "images of a weight step", 1)
flags.DEFINE_integer("samples", 2, "batches of each size", lower_bound=1)
flags.DEFINE_integer("seed", 0, "of everything random", lower_bound=0)
flags.DEFINE_string("out", "alignment_gradient.jsonl", "of all lines")
FLAGS = flags.FLAGS

LENGTHS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
SETTING = ("space", "dataset", "image_size", "channels", "layers", "stage", "seed")
HEAD = (
    "space",
    "channels",
    "cells",
    "pixels",
    "steps before",
    "batch",
    "alignment",
    "exact over grad_w",
    *(f"cosine, length at {length:g}" for length in LENGTHS),
)


def main(_) -> None:
    """Appends missing lines, and prints all."""
    setup.disable_grappler()
    out = pathlib.Path(FLAGS.out)
    known = step_sizes.read(out)
    missing = [line for line in wanted() if not step_sizes.among(known, line)]
    if missing:
        measure(missing, out)
    print(markdown(step_sizes.read(out)))


def wanted() -> list[dict]:
    """Returns the setting of each line that is wanted."""
    setting = {name: FLAGS[name].value for name in SETTING}
    return [
        setting | {"batch": int(size), "number": number}
        for size in FLAGS.batch_sizes
        for number in range(FLAGS.samples)
    ]


def measure(settings: list[dict], out: pathlib.Path) -> None:
    """Appends a line for each setting, once measured."""
    images = load_images(
        FLAGS.dataset, data_dir=FLAGS.data_dir, image_size=FLAGS.image_size
    )
    w = [tf.cast(t, tf.float64) for t in trained(images)]
    looked_at = looking(images)
    for setting in settings:
        start = time.monotonic()
        figures = compare(looked_at, w, batch_of(images, setting))
        seconds = round(time.monotonic() - start)
        line = setting | figures | {"seconds": seconds}
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def batch_of(images, setting: dict):
    """Returns the training batch of this size and number."""
    stream = batches(images.train, setting["batch"], FLAGS.seed + 1, tf.float64)
    return next(itertools.islice(stream, setting["number"], None))


def model(images, dtype: str):
    """Builds (supernet, weights, alpha) in this precision."""
    size = FLAGS.image_size
    space = space_by_name(FLAGS.space)
    return built(
        lambda: image_runs.supernet(
            space, FLAGS.channels, FLAGS.layers, images.num_classes, True
        ),
        (size, size, images.train.images.shape[-1]),
        dtype,
        FLAGS.seed,
    )


def trained(images) -> list:
    """Returns the weights after --stage steps."""
    net, w, alpha = model(images, "float32")
    stream = iter(batches(images.train, FLAGS.train_batch, FLAGS.seed))
    sgd = SGD(momentum=0.9, weight_decay=3e-4, clip_norm=5.0)
    ((_, w, _),) = stages(
        relaxation.supernet_loss(net),
        w,
        alpha,
        stream,
        sgd,
        0.025,
        [FLAGS.stage],
    )
    return w


def compare(looked_at, w, batch) -> dict:
    """Computes the figures that the module's docstring names."""
    regulariser, descend, cells, alpha = looked_at
    loss = regulariser.cells_loss
    g, layers, _, _ = bilevel.grad_w_alpha(loss, w, cells, batch, SEED)
    alignment, u = regulariser.perturbations(layers)
    exact = flat(regulariser.derivative(w, cells, batch, SEED, u))
    figures = {
        "alignment": float(alignment),
        "share": float(np.linalg.norm(exact) / tf.linalg.global_norm(g)),
        "differences": {},
    }
    for length in LENGTHS:
        *points, epsilon = bilevel.perturb(cells, u, length)
        up, down = (flat(descend(w, point, batch, SEED)[0]) for point in points)
        near = (up - down) / (2 * float(epsilon))
        figures["differences"][f"{length:g}"] = {
            "cosine": cosine(near, exact),
            "ratio": float(np.linalg.norm(near) / np.linalg.norm(exact)),
        }
    return figures


def looking(images):
    """Returns (regularizer, gradient of w, mixing weights, alpha), in float64."""
    net, _, alpha = model(images, "float64")
    loss = relaxation.cells_loss(net)
    regulariser = regularizer.LambdaRegularizer(
        loss, net.space, net.kinds, "cosine", "exact"
    )
    descend = tf.function(functools.partial(bilevel.grad_w, loss))
    cells = relaxation.cells_of(alpha, net.space, net.kinds)
    return regulariser, descend, cells, alpha


def markdown(lines: list[dict]) -> str:
    """Returns Markdown, a row for each line."""
    rows = [HEAD, ["---"] * len(HEAD)]
    for line in lines:
        rows.append(
            [
                *(line[n] for n in ("space", "channels", "layers")),
                *(line[n] for n in ("image_size", "stage", "batch")),
                f"{line['alignment']:.3f}",
                f"{line['share']:.2f}",
                *(
                    f"{d['cosine']:.3f}, {d['ratio']:.2f}"
                    for d in line["differences"].values()
                ),
            ]
        )
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


if __name__ == "__main__":
    entry_point.run(main)
