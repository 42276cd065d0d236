"""The language model: tied embedding, masks, state."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.language import (
    Dropouts,
    LanguageModel,
    started,
    window_loss,
)
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.space.published import RECURRENT

B, T, H, V = 3, 4, 6, 11
CELL = RECURRENT["DARTS_V1"].cells["recurrent"]
IDS = tf.constant(np.random.default_rng(0).integers(0, V, (B, T)), tf.int32)
NEXT = tf.constant(np.random.default_rng(1).integers(0, V, (B, T)), tf.int32)
HIDDEN = tf.fill([B, H], 0.1)
SEED, OTHER = tf.constant([0, 1]), tf.constant([0, 2])
EVERY = Dropouts(0.3, 0.3, 0.3, 0.3, 0.3)


def build(dropouts=Dropouts()) -> LanguageModel:
    keras.utils.set_random_seed(0)
    model = LanguageModel(DerivedCell(CELL, H), V, dropouts)
    model(IDS, HIDDEN)
    return model


def test_shapes_and_tied_embedding():
    model = build()
    logits, hidden, outputs = model(IDS, HIDDEN)
    assert (logits.shape, hidden.shape) == ((T, B, V), (B, H))
    by_hand = outputs.numpy() @ model.embedding.numpy().T
    np.testing.assert_allclose(logits, by_hand, atol=1e-6)
    assert sum(v.shape == (V, H) for v in model.trainable_variables) == 1


def test_starts_uniformly_in_the_papers_range():
    table = build().embedding.numpy()
    assert 0.03 < np.abs(table).max() <= 0.04


def test_two_windows_are_one_long_one():
    model = build()
    whole, last, _ = model(IDS, HIDDEN)
    left, hidden, _ = model(IDS[:, :2], HIDDEN)
    right, end, _ = model(IDS[:, 2:], hidden)
    np.testing.assert_allclose(whole, tf.concat([left, right], 0), atol=1e-6)
    np.testing.assert_allclose(last, end, atol=1e-6)


@pytest.mark.parametrize("name", Dropouts.__dataclass_fields__)
def test_each_dropout_follows_the_seed_and_only_in_training(name):
    model = build(Dropouts(**{name: 0.5}))
    run = lambda seed, training: np.array(
        model(IDS, HIDDEN, seed=seed, training=training)[0]
    )
    np.testing.assert_array_equal(run(SEED, True), run(SEED, True))
    assert np.abs(run(SEED, True) - run(OTHER, True)).max() > 1e-5
    np.testing.assert_array_equal(run(SEED, False), run(OTHER, False))


def test_dropped_words_are_dropped_everywhere():
    model = build(Dropouts(words=0.5))
    twice = tf.tile(tf.range(V)[:, tf.newaxis], [1, 2])  # each word alone
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(w)
        (_, _, outputs), _ = model.stateless_call(
            w, [], twice, tf.zeros([V, H]), seed=SEED, training=True
        )
        total = tf.reduce_sum(outputs)
    (index,) = [i for i, t in enumerate(w) if t.shape == (V, H)]
    by_word = tf.convert_to_tensor(tape.gradient(total, w)[index])
    moved = np.abs(by_word).sum(1) > 0
    assert 0 < moved.sum() < V  # some words, not all


def test_fresh_text_starts_from_zero():
    hidden = started(HIDDEN, tf.constant([True, False, True]))
    np.testing.assert_array_equal(hidden[:, 0], np.float32([0, 0.1, 0]))


def test_slowness_is_the_mean_square_change():
    model = build()
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    batch = (IDS, NEXT, tf.zeros([B], bool), HIDDEN)
    plain, aux = window_loss(model, w, batch, SEED, 0.0)
    slow, _ = window_loss(model, w, batch, SEED, 2.0)
    _, _, outputs = model(IDS, HIDDEN)
    change = np.diff(np.array(outputs), axis=0)
    expected = float(plain) + 2 * np.mean(change**2)
    assert float(slow) == pytest.approx(expected, rel=1e-5)
    assert float(plain) == float(aux["cross_entropy"])


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_impossible_dropout(value):
    with pytest.raises(InputError, match="hidden"):
        Dropouts(hidden=value)
