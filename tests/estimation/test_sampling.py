"""Sentences are drawn from the model's distribution, up to their end."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.estimation.sampling import sample

WORDS = ("<eos>", "<unk>", "a", "b")


def chain(probabilities):
    """A "model" whose next word depends on the present one only."""
    table = tf.math.log(tf.constant(probabilities, tf.float32) + 1e-30)
    return lambda ids, state: (tf.gather(table, ids[:, 0])[tf.newaxis], state)


def draw(table, **more):
    given = {"sentences": 200, "longest": 5, "seed": 0} | more
    return sample(chain(table), 1, WORDS, "<eos>", "<unk>", **given)


def test_a_certain_sentence():
    table = [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert draw(table, sentences=2) == ["a b", "a b"]


def test_shares_follow_the_probabilities_and_unknown_is_avoided():
    table = [[0, 0.5, 0.375, 0.125]] + [[1, 0, 0, 0]] * 3
    lines = draw(table, sentences=2000)
    assert set(lines) == {"a", "b"}
    share = np.mean([line == "a" for line in lines])
    assert abs(share - 0.75) < 0.05


def test_endless_sentences_are_cut():
    lines = draw([[0, 0, 1, 0]] * 4, sentences=1)
    assert lines == ["a a a a a"]


def test_no_sentence_is_empty_where_most_lines_are():
    lines = draw([[0.9, 0.05, 0.05, 0]] + [[1, 0, 0, 0]] * 3)
    assert lines == ["a"] * 200
