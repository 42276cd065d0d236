r"""Trains keras.layers.LSTM in the place of the recurrent cell.

    python -m benchmarks.studies.ptb_small.lstm \
        --flagfile=configs/ptb/small_evaluate.flags --data_dir=DIR

Takes the flags of train.evaluate for language. The LSTM has as many units
(and so as wide a tied embedding) as bring its parameters nearest to those of
a derived cell with --hidden_size. Same dropout masks on its input and its
state, same data, same steps. Prints one line of JSON.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json
import math

import keras
import tensorflow as tf
from absl import flags

from darts_tf.cli import flags as config_flags
from darts_tf.config import TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.data.text import windows
from darts_tf.data.text.loading import load_text
from darts_tf.estimation import text_training
from darts_tf.networks.footprint import counts
from darts_tf.networks.operations import Block
from darts_tf.programs import setup, text_data, texts
from darts_tf.space.published import load_genotype
from darts_tf.space.recurrent import NODES

FLAGS = flags.FLAGS
config_flags.define(TrainingConfig, "(nothing is written)")
flags.FLAGS.set_default("workdir", "unused")
flags.FLAGS.set_default("genotype", "DARTS_V2")


class LSTM(Block):
    """keras.layers.LSTM behind the interface of RecurrentCell.

    The state is [B, 2H]: output and memory side by side.
    """

    def __init__(self, hidden_size: int):
        super().__init__()
        self.hidden_size, self.state_size = hidden_size, 2 * hidden_size
        self.layer = keras.layers.LSTM(
            hidden_size, return_sequences=True, return_state=True
        )

    def call(self, x, hidden, x_mask=1.0, h_mask=1.0):
        """Runs over all times; the state's mask acts at the window's start."""
        h, c = tf.split(hidden, 2, axis=-1)
        inputs = tf.transpose(x * x_mask, [1, 0, 2])
        outputs, h, c = self.layer(inputs, initial_state=[h * h_mask, c])
        return tf.transpose(outputs, [1, 0, 2]), tf.concat([h, c], -1)


def main(_) -> None:
    """Trains the model, measures it and prints the result."""
    config = settle(config_flags.parsed_config(TrainingConfig, FLAGS))
    replicas = setup.prepare(config, config.space)
    data = load_text(config.dataset, config.data_dir)
    words = data.vocabulary.size
    model = texts.build_model(
        config, LSTM(units(config.hidden_size, words)), words, replicas
    )
    steps = windows.steps_per_epoch(len(data.train), config.batch_size, config.bptt)
    loop = text_training.TextTraining(
        model,
        load_genotype("DARTS_V2", "darts_recurrent"),
        texts.training_settings(config, steps),
        text_data.Windows(config, data.train, replicas).training,
        text_data.Windows(config, data.valid, replicas).once,
        config.measured_batch,
        replicas,
    )
    for _ in range(config.epochs):
        for _ in range(steps):
            loop.advance()
        print(loop.epoch, loop.end_epoch(), flush=True)
    tokens, _ = data.load_test()
    test = text_data.Windows(config, tokens, replicas).once(1)
    result = {
        "units": model.cell.hidden_size,
        "parameters": counts.parameters(model),
        "valid": math.exp(loop.history[-1]),
        "test": loop.perplexity(test, 1),
    }
    print(json.dumps(result))


def units(size: int, words: int) -> int:
    """Returns H of the LSTM whose model is nearest to a derived cell's, in weights.

    Derived: first matrix [2 size, 2 size], NODES maps [size, 2 size]; LSTM:
    [2 H, 4 H] and 4 H biases; both: tied embedding and bias.
    """
    wanted = 4 * size**2 + 2 * NODES * size**2 + words * size
    return min(
        range(1, 4 * size),
        key=lambda h: abs(8 * h * h + 4 * h + words * h - wanted),
    )


if __name__ == "__main__":
    entry_point.run(main)
