"""Samples text from a language model, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def sample(
    step,
    state_size: int,
    words: Sequence[str],
    end: str,
    avoid: str,
    *,
    sentences: int,
    longest: int,
    seed: int,
) -> list[str]:
    """Draws sentences word by word from the model's distribution.

    Args:
      step: (ids int32 [B, 1], state [B, H]) -> (logits [1, B, V], state).
      state_size: H.
      words: the vocabulary, V words.
      end: the word that ends a sentence, and stands before the first. A
        sentence has at least one other: blank lines, a third of those of
        WikiText-2, are nothing to look at.
      avoid: a word that is never drawn (UNKNOWN).
      sentences: how many to draw.
      longest: the most words of a sentence.
      seed: of the draws.

    Returns:
      one string a sentence, without `end`.
    """
    generator = np.random.default_rng(seed)
    ids = np.full((sentences, 1), words.index(end), np.int32)
    state = tf.zeros([sentences, state_size])
    drawn = []
    for _ in range(longest):
        logits, state = step(tf.constant(ids), state)
        scores = np.array(logits[0], np.float64)
        scores[:, words.index(avoid)] = -np.inf
        if not drawn:
            scores[:, words.index(end)] = -np.inf
        noise = generator.gumbel(size=scores.shape)
        ids = np.argmax(scores + noise, -1)[:, np.newaxis].astype(np.int32)
        drawn.append(ids[:, 0])
    texts = []
    for row in np.array(drawn).T.tolist():
        sentence = [str(words[i]) for i in row]
        length = sentence.index(end) if end in sentence else len(sentence)
        texts.append(" ".join(sentence[:length]))
    return texts
