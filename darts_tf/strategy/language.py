"""The loss of a recurrent search network (DARTS sect. A.1.2)."""

from __future__ import annotations

import tensorflow as tf

from darts_tf.strategy.relaxation import mixing_weights


def language_loss(model, slowness: float = 0.0):
    """loss(w, alpha, batch, seed) of a language model with a mixed cell.

    A batch is (inputs int32 [B, T], targets int32 [B, T], fresh bool [B],
    hidden [B, H]): where `fresh`, the text starts anew and the state is 0.

    aux["hidden"] is the state after the batch, [B, H], and
    aux["cross_entropy"] the loss without regularisation, in nats a word.

    Args:
      model: a networks.language.LanguageModel, built.
      slowness: factor of the mean square of what the cell's output changes
        by from one time to the next (temporal activation regularisation,
        Merity et al. 2018).
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits

    def loss(w, alpha, batch, seed):
        inputs, targets, fresh, hidden = batch
        hidden = tf.where(fresh[:, tf.newaxis], tf.zeros_like(hidden), hidden)
        more = {"weights": mixing_weights(alpha)[0]} if alpha else {}
        (logits, hidden, outputs), _ = model.stateless_call(
            w, [], inputs, hidden, seed=seed, training=True, **more
        )
        nats = tf.reduce_mean(entropy(tf.transpose(targets), logits))
        value = nats
        if slowness:
            change = outputs[1:] - outputs[:-1]
            value += slowness * tf.reduce_mean(change * change)
        return value, {"hidden": hidden, "cross_entropy": nats}

    return loss
