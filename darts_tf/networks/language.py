"""A language model around a recurrent cell (DARTS sect. 3.1.2, A.1.2).

Tied embedding, variational dropout: each mask is drawn once a sequence (Gal
and Ghahramani 2016), and the word mask drops whole words of the vocabulary.
"""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.recurrent import INITIAL_RANGE, RecurrentCell


@dataclasses.dataclass(frozen=True)
class Dropouts:
    """Probabilities with which something is dropped.

    Attributes:
      words: words of the vocabulary (their whole embedding).
      embedding: elements of the embedded sequence.
      x, hidden: elements of the cell's input and of its states.
      output: elements of the cell's output.

    Raises:
      InputError: not in [0, 1).
    """

    words: float = 0.0
    embedding: float = 0.0
    x: float = 0.0
    hidden: float = 0.0
    output: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 <= value < 1:
                raise InputError(
                    f"dropout '{name}' must be at least 0 and below 1; received {value}"
                )


NO_DROPOUT = Dropouts()


class LanguageModel(keras.Model):
    """Embedding, recurrent cell, and the embedding again as decoder.

    Args:
      cell: its hidden_size is the embedding's too, since both are tied.
      words: V, size of the vocabulary.
      dropouts: used in training.
    """

    def __init__(
        self, cell: RecurrentCell, words: int, dropouts: Dropouts = NO_DROPOUT
    ):
        super().__init__(name="language_model")
        self.cell, self.words, self.dropouts = cell, words, dropouts
        start = keras.initializers.RandomUniform(-INITIAL_RANGE, INITIAL_RANGE)
        self.embedding = self.add_weight(
            (words, cell.hidden_size), start, name="embedding"
        )
        self.bias = self.add_weight((words,), "zeros", name="bias")

    def build(self, input_shape=None) -> None:
        """Creates nothing: the cell builds when it is called."""

    def call(self, ids, hidden, seed=None, training=False, **edges):
        """Computes the logits of the next word at every time.

        Args:
          ids: int32 [B, T], words.
          hidden: [B, H], the state before.
          seed: int32 [2], decides the dropout masks; read in training only.
          training: whether there is dropout.
          **edges: what the cell's edges need.

        Returns:
          (logits [T, B, V], state after [B, H], the cell's outputs
          [T, B, H] before dropout).
        """
        d = self.dropouts if training else NO_DROPOUT
        table = tf.convert_to_tensor(self.embedding)
        batch, size = tf.shape(ids)[0], self.cell.hidden_size

        def mask(number, probability, *shape):
            return _mask(seed, number, probability, shape, table.dtype)

        masked_table = table * mask(0, d.words, self.words, 1)
        x = tf.gather(masked_table, tf.transpose(ids))  # [T, B, E]
        x *= mask(1, d.embedding, batch, size)
        outputs, hidden = self.cell(
            x,
            hidden,
            x_mask=mask(2, d.x, batch, size),
            h_mask=mask(3, d.hidden, batch, size),
            **edges,
        )
        seen = outputs * mask(4, d.output, batch, size)
        logits = tf.tensordot(seen, table, [[2], [1]]) + self.bias
        return logits, hidden, outputs

    def step(self, ids, hidden):
        """Computes the logits of the next word after one word, in inference mode.

        Args:
          ids: int32 [B], words.
          hidden: [B, H], the state before.

        Returns:
          (logits [B, V], state after [B, H]).
        """
        table = tf.convert_to_tensor(self.embedding)
        hidden = self.cell.step(tf.gather(table, ids), hidden)
        return tf.matmul(hidden, table, transpose_b=True) + self.bias, hidden


def _mask(seed, number: int, probability: float, shape, dtype):
    """Draws a dropout mask: 0, or 1 / (1 - p); the number 1 if p is 0."""
    if not probability:
        return tf.ones([], dtype)
    mask_seed = tf.random.experimental.stateless_fold_in(seed, number)
    mask = tf.random.stateless_uniform(shape, mask_seed, dtype=dtype) >= probability
    return tf.cast(mask, dtype) / (1 - probability)


def replica_seed(seed):
    """Returns a seed of the present replica's own; of a single one, the seed itself.

    With one seed for all, every replica would drop the same elements of its share.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return seed
    fold_in = tf.random.experimental.stateless_fold_in
    return fold_in(seed, replica.replica_id_in_sync_group)


def window_loss(model: LanguageModel, w, batch, seed, slowness, **edges):
    """Computes the loss of a window of text in training mode; assigns nothing.

    Args:
      model: built.
      w: its weights.
      batch: (inputs int32 [B, T], targets int32 [B, T], fresh bool [B],
        hidden [B, H]); where `fresh`, the text starts anew and the state
        is 0.
      seed: int32 [2], decides the dropout masks.
      slowness: factor of the mean square by which the cell's output changes
        from one time to the next (temporal activation regularisation,
        Merity et al. 2018).
      **edges: what the cell's edges need.

    Returns:
      (loss, aux): aux["hidden"] is the state after the window, [B, H];
      aux["cross_entropy"] the loss without regularisation, in nats a word.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits
    inputs, targets, fresh, hidden = batch
    results, *_ = model.stateless_call(
        w,
        other_state(model),
        inputs,
        started(hidden, fresh),
        seed=seed,
        training=True,
        **edges,
    )
    logits, hidden, outputs = results
    nats = tf.reduce_mean(entropy(tf.transpose(targets), logits))
    value = nats
    if slowness:
        change = outputs[1:] - outputs[:-1]
        value += slowness * tf.reduce_mean(change * change)
    return value, {"hidden": hidden, "cross_entropy": nats}


def other_state(model) -> list:
    """Returns the model's untrained values; only Keras's LSTM has one, a seed."""
    return [v.value for v in model.non_trainable_variables]


def started(hidden, fresh):
    """Returns hidden [B, H], set to zero where the text starts anew (fresh [B])."""
    return tf.where(fresh[:, tf.newaxis], tf.zeros_like(hidden), hidden)
