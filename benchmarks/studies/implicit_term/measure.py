"""Compares eq. 8 and the exact implicit term with brute force, on real images.

    python -m benchmarks.studies.implicit_term.measure --data_dir=DIR --out=FILE.jsonl

A supernet is trained by weight steps in float32 (alpha stays at its start);
after each number of steps in --stages, and for each size in --batch_sizes,
the following is measured in float64 and appended to --out as one line:

- eq. 8's implicit term beside the exact one, for several lengths of eq. 8's
  step: the cosine, and the ratio of the lengths;
- the whole gradient of eq. 7 by eq. 8, and without its implicit term (first
  order), beside the exact one: the cosine;
- the derivative of L_val(w'(alpha), alpha) along a random direction, by
  central differences of several widths, divided by what the exact gradient
  says (1 where they agree), and by what eq. 8 says at its customary length.

Lines that --out already holds are not measured again, so a run that was
stopped goes on. `python -m benchmarks.studies.implicit_term.report` draws them.

--smooth is the control: x sigmoid(x) in place of ReLU and no max pools, so
that no gradient jumps anywhere.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import dataclasses
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
from darts_tf.networks.conv import Supernet
from darts_tf.programs import setup
from darts_tf.space import conv
from darts_tf.strategy.darts import bilevel, relaxation

flags.DEFINE_string("dataset", "cifar10", "as in train.search")
flags.DEFINE_string("data_dir", None, "folder of the data")
flags.DEFINE_integer("channels", 16, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 8, "of the supernet", lower_bound=3)
flags.DEFINE_list("batch_sizes", ["8"], "images, of L_train and of L_val")
flags.DEFINE_list("stages", ["0", "20"], "weight steps, ascending")
flags.DEFINE_integer("train_batch", 32, "images of a weight step")
flags.DEFINE_bool("smooth", False, "the control without kinks")
flags.DEFINE_integer("seed", 0, "of everything random", lower_bound=0)
flags.DEFINE_string("out", "implicit_term.jsonl", "where lines are appended")
FLAGS = flags.FLAGS

LENGTHS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
WIDTHS = (1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-9)
RATE = 0.025
SGD_ = SGD(momentum=0.9, weight_decay=3e-4, clip_norm=5.0)
SETTING = ("dataset", "channels", "layers", "train_batch", "smooth", "seed")


def main(_) -> None:
    """Appends missing lines."""
    sizes, stages = (
        [int(n) for n in FLAGS[name].value] for name in ("batch_sizes", "stages")
    )
    setup.disable_grappler()
    setting = {name: FLAGS[name].value for name in SETTING}
    out = pathlib.Path(FLAGS.out)
    known = [line["setting"] for line in step_sizes.read(out)]
    wanted = {
        (stage, size): setting | {"stage": stage, "batch_size": size}
        for stage in stages
        for size in sizes
    }
    missing = {k: v for k, v in wanted.items() if v not in known}
    if FLAGS.smooth:
        tf.nn.relu = tf.nn.silu
    images = load_images(FLAGS.dataset, data_dir=FLAGS.data_dir)
    for (stage, size), line in missing.items():
        start = time.monotonic()
        w, slots = trained(images, stage)
        measured = compare(images, size, w, slots)
        seconds = round(time.monotonic() - start)
        line = {"setting": line, "seconds": seconds, **measured}
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def space():
    """Returns the search space; without max pools for the control."""
    if not FLAGS.smooth:
        return conv.SPACE
    candidates = [n for n in conv.CANDIDATES if not n.startswith("max_pool")]
    cells = [
        dataclasses.replace(c, candidates=(tuple(candidates),) * len(c.candidates))
        for c in conv.SPACE.cells
    ]
    return dataclasses.replace(conv.SPACE, cells=tuple(cells))


def build(dtype: str, classes: int):
    """Builds (the supernet's loss, its weights, alpha) in this precision."""
    model, w, alpha = built(
        lambda: Supernet(space(), FLAGS.channels, FLAGS.layers, classes),
        (32, 32, 3),
        dtype,
        FLAGS.seed,
    )
    return relaxation.supernet_loss(model), w, alpha


STAGES = {}


def trained(images, stage: int):
    """Returns (w, momentum buffers) as arrays after `stage` weight steps."""
    if not STAGES:
        stream = iter(batches(images.train, FLAGS.train_batch, FLAGS.seed))
        wanted = sorted({int(s) for s in FLAGS.stages})
        start = build("float32", images.num_classes)
        for number, *values in stages(*start, stream, SGD_, RATE, wanted):
            STAGES[number] = values
    return STAGES[stage]


def compare(images, size: int, w, slots) -> dict:
    """Computes the figures that the module's docstring names."""
    loss, _, alpha = build("float64", images.num_classes)
    w, slots = ([tf.cast(t, tf.float64) for t in ts] for ts in (w, slots))
    stream = iter(batches(images.train, size, FLAGS.seed + 1, tf.float64))
    train, valid = next(stream), next(stream)
    g, value, _ = bilevel.grad_w(loss, w, alpha, train, SEED)
    unrolled, _ = SGD_.step(w, g, slots, RATE)
    v, direct, _, _ = bilevel.grad_w_alpha(loss, unrolled, alpha, valid, SEED)
    u, direct = SGD_.pull_back(w, g, slots, RATE, v), flat(direct)
    exact = flat(bilevel.reverse_over_reverse(loss, w, alpha, train, SEED, u))
    result = {
        "loss": float(value),
        "gradient_norm": float(tf.linalg.global_norm(g)),
        "implicit_to_direct": float(np.linalg.norm(exact) / np.linalg.norm(direct)),
        "first_order_cosine": cosine(direct, direct + exact),
        "eq8": {},
        "brute": {},
    }
    for length in LENGTHS:
        term = eq8(loss, w, alpha, train, u, length)
        result["eq8"][f"{length:g}"] = {
            "cosine": cosine(term, exact),
            "ratio": float(np.linalg.norm(term) / np.linalg.norm(exact)),
            "whole_cosine": cosine(direct + term, direct + exact),
        }
        if length == bilevel.EPSILON:
            customary = term
    d = np.random.default_rng(FLAGS.seed).standard_normal(exact.size)
    for h in WIDTHS:
        ends = [
            value_at(loss, w, slots, shifted(alpha, s * d), train, valid)
            for s in (h, -h)
        ]
        slope = (ends[0] - ends[1]) / (2 * h)
        result["brute"][f"{h:g}"] = {
            "to_exact": slope / float(d @ (direct + exact)),
            "to_eq8": slope / float(d @ (direct + customary)),
        }
    return result


def eq8(loss, w, alpha, batch, u, length: float) -> np.ndarray:
    """Computes the implicit term by a central difference along u, [N]."""
    return flat(bilevel.finite_difference(loss, w, alpha, batch, SEED, u, length))


def value_at(loss, w, slots, alpha, train, valid) -> float:
    """Computes L_val(w'(alpha), alpha)."""
    g, _, _ = bilevel.grad_w(loss, w, alpha, train, SEED)
    there, _ = SGD_.step(w, g, slots, RATE)
    return float(loss(there, alpha, valid, SEED)[0])


def shifted(alpha, numbers: np.ndarray):
    """Returns alpha plus numbers [N], in the order of `flat`."""
    sizes = np.cumsum([tf.size(a) for a in alpha])[:-1]
    parts = np.split(numbers, sizes)
    return [a + p.reshape(a.shape) for a, p in zip(alpha, parts, strict=True)]


if __name__ == "__main__":
    entry_point.run(main)
