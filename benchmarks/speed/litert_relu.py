"""Measures what keeping LiteRT from joining ReLUs with what is before them saves.

    taskset -c 0 python -m benchmarks.speed.litert_relu
    taskset -c 0 python -m benchmarks.speed.litert_relu --quantize=int8

Converts networks of random genotypes, and DARTS_V2 in its space, as exports do
(`activated` in networks/cell.py) and with a usual ReLU, runs both in turn, one image
at a time on one thread, and prints milliseconds: medians, and the median of the ratios.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import contextlib
import time
from unittest import mock

import numpy as np
import tensorflow as tf
from absl import flags

from darts_tf.config import LatencyConfig
from darts_tf.config_rules import settle
from darts_tf.networks import cell, discrete_edges, nasbench201
from darts_tf.programs import latency
from darts_tf.run.export import litert
from darts_tf.run.timing import Timed
from darts_tf.space.conv import SPACE as DARTS
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype

flags.DEFINE_enum("space", DARTS.name, [DARTS.name, "nasbench201"], "of the cells")
flags.DEFINE_integer("channels", 16, "of the first cell", 1)
flags.DEFINE_integer("layers", 6, "cells", 3)
flags.DEFINE_integer("networks", 3, "random genotypes", 1)
flags.DEFINE_enum("quantize", "none", litert.QUANTIZE, "of both")
flags.DEFINE_integer("pairs", 300, "runs of both", 2)
FLAGS = flags.FLAGS
SIZE = 32


def main(_) -> None:
    """Prints a row a genotype."""
    space = space_by_name(FLAGS.space)
    cells = {f"random {n}": random_genotype(space, n) for n in range(FLAGS.networks)}
    if space is DARTS:
        cells["DARTS_V2"] = load_genotype("DARTS_V2", space.name)
    print("| genotype | usual ReLU, ms | kept apart, ms | ratio |\n|---|---|---|---|")
    for name, genotype in cells.items():
        with contextlib.ExitStack() as patches:
            for module in (cell, discrete_edges, nasbench201):
                patches.enter_context(
                    mock.patch.object(module, "activated", tf.nn.relu)
                )
            before = converted(genotype)
        times = pairs(before, converted(genotype))
        ratio = np.median(times[:, 1] / times[:, 0])
        texts = " | ".join(f"{value:.3f}" for value in [*np.median(times, 0), ratio])
        print(f"| {name} | {texts} |", flush=True)


def converted(genotype: Genotype) -> Timed:
    """Returns a genotype's network with random weights as a .tflite file."""
    config = LatencyConfig(
        space=genotype.space,
        image_size=SIZE,
        channels=FLAGS.channels,
        layers=FLAGS.layers,
        quantize=FLAGS.quantize,
    )
    return latency.timed_network(settle(config), genotype)


def pairs(*networks: Timed) -> np.ndarray:
    """Returns the milliseconds of networks that are run in turn, [pairs, networks]."""
    times = np.zeros((FLAGS.pairs, len(networks)))
    for row in times:
        for place, network in enumerate(networks):
            start = time.perf_counter()
            network.run()
            row[place] = (time.perf_counter() - start) * 1e3
    return times


if __name__ == "__main__":
    entry_point.run(main)
