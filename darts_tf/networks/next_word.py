"""A derived recurrent cell as a Keras model that predicts the next word."""

from __future__ import annotations

import keras
import tensorflow as tf

from darts_tf.networks.derived import PACKAGE
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.space import recurrent
from darts_tf.space.genotype import Genotype

DROPOUT = Dropouts()
"""No dropout by default; the paper's are in TrainingConfig."""


@keras.saving.register_keras_serializable(PACKAGE)
class NextWordModel(keras.Model):
    """Takes words [B, T] to raw logits of the next word, [B, T, V].

    Every sequence starts from the state 0. `language_model` keeps states from
    one window to the next, for training on a long text.

    Args:
      genotype: a recurrent one.
      hidden_size: H, of states and embeddings.
      words: V, size of the vocabulary.

    Attributes:
      language_model: the network inside (networks/language.py).
    """

    def __init__(self, genotype: Genotype, hidden_size: int, words: int):
        super().__init__(autocast=False, name="next_word_model")
        self.supports_jit = False
        self.genotype = genotype
        self.arguments = {"hidden_size": hidden_size, "words": words}
        (spec,) = recurrent.SPACE.cells
        cell = DerivedCell(genotype.cells[spec.name], hidden_size)
        self.language_model = LanguageModel(cell, words, DROPOUT)
        cell.build((None, None, hidden_size))
        self.built = True

    def build(self, input_shape=None) -> None:
        """Creates nothing: all weights are there from the start."""

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns [B, T, V]."""
        return *input_shape, self.arguments["words"]

    def call(self, ids, training=False):
        """Computes logits [B, T, V] of words [B, T], whole numbers below V."""
        ids = tf.cast(ids, tf.int32)
        hidden = tf.zeros((tf.shape(ids)[0], self.arguments["hidden_size"]))
        hidden.set_shape((None, self.arguments["hidden_size"]))
        logits, _, _ = self.language_model(ids, hidden, training=training)
        return tf.transpose(logits, [1, 0, 2])

    def get_config(self) -> dict:
        """Returns the arguments, the genotype as JSON text."""
        return {"genotype": self.genotype.to_json(), **self.arguments}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes the network of a config, undoing `get_config`."""
        del custom_objects
        genotype = Genotype.from_json(config["genotype"])
        return cls(**config | {"genotype": genotype})
