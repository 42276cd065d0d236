"""Measures the time to the first training step of a derived network, and of a step.

    python -m benchmarks.speed.training_step --batch_size=96

As benchmarks/speed/search_step.py, of what train.evaluate does: by default the
paper's network for CIFAR-10 and its protocol, on random images; with
--space=darts_recurrent its language model, on random words.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json

import tensorflow as tf
from absl import flags

from benchmarks.speed import size_flags, step_times
from benchmarks.speed.image_batches import random_images
from benchmarks.speed.step_worker import SPACES
from benchmarks.speed.text_batches import random_windows
from darts_tf.descent.replicas import Replicas
from darts_tf.estimation.text_training import (
    TextTraining,
    TextTrainingSettings,
)
from darts_tf.estimation.training import Training
from darts_tf.estimation.training_settings import TrainingSettings
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.programs import setup
from darts_tf.space import recurrent
from darts_tf.space.published import load_genotype

flags.DEFINE_enum("space", SPACES[0], SPACES, "of the cells")
flags.DEFINE_string("genotype", "DARTS_V2", "as train.evaluate")
size_flags.define_sizes(channels=36, layers=20, hidden_size=850)
flags.adopt_module_key_flags(size_flags)
flags.DEFINE_integer("batch_size", 64, "images or sequences", lower_bound=1)
flags.DEFINE_integer("steps", 5, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Prints one line of JSON; times in seconds, memory in GB."""
    setup.disable_grappler()
    text = FLAGS.space == recurrent.SPACE.name
    loop = (text_training if text else image_training)()
    result = step_times.first_step(loop)
    times = [step_times.timed(loop) for _ in range(FLAGS.steps)]
    sizes = ("hidden_size", "words", "bptt") if text else ("channels", "layers")
    names = ("space", "genotype", "batch_size", *sizes)
    settings = {n: FLAGS[n].value for n in names}
    print(json.dumps(settings | result | step_times.summary(times)))


def image_training() -> Training:
    """Builds a training of the network of images, a step an epoch."""
    images = random_images(FLAGS.batch_size)
    model = EvaluationNetwork(
        load_genotype(FLAGS.genotype, FLAGS.space),
        FLAGS.channels,
        FLAGS.layers,
        images.classes,
        auxiliary=True,
    )
    model.build((None, *images.shape))
    settings = TrainingSettings(FLAGS.steps + 1, 1, FLAGS.batch_size)
    return Training(model, settings, images.sources[0], None, Replicas())


def text_training() -> TextTraining:
    """Builds a training of the language model, with the paper's dropouts."""
    genotype = load_genotype(FLAGS.genotype, FLAGS.space)
    cell = DerivedCell(genotype.cells["recurrent"], FLAGS.hidden_size)
    dropouts = Dropouts(0.1, 0.2, 0.75, 0.25, 0.75)
    model = LanguageModel(cell, FLAGS.words, dropouts)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, FLAGS.hidden_size)))
    stream = random_windows(FLAGS.batch_size, FLAGS.bptt, FLAGS.words)
    settings = TextTrainingSettings(FLAGS.steps + 1, 1, FLAGS.batch_size, FLAGS.bptt)
    return TextTraining(
        model,
        genotype,
        settings,
        lambda step: stream,
        lambda: (),
        1,
        Replicas(),
    )


if __name__ == "__main__":
    entry_point.run(main)
