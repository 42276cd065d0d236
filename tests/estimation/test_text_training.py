"""Training of a language model: the trigger, the average, exact resume."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.estimation.text_training import (
    TextTraining,
    TextTrainingSettings,
    averaging_starts,
)
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.run.process import ordered_sums
from darts_tf.space.published import RECURRENT
from tests.traced_sums import longest_sum

B, T, H, V = 2, 4, 3, 7
GENOTYPE = RECURRENT["DARTS_V2"]


def windows(step):
    for number in range(step, 1000):
        rng = np.random.default_rng(number)
        words = tf.constant(rng.integers(0, V, (B, T + 1)), tf.int32)
        length = T if number % 3 else T // 2
        fresh = tf.fill([B], number == 0)
        yield words[:, :length], words[:, 1 : length + 1], fresh


def new_loop():
    cell = DerivedCell(GENOTYPE.cells["recurrent"], H)
    model = LanguageModel(cell, V, Dropouts(0.1, 0.1, 0.1, 0.1, 0.1))
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)))
    return TextTraining(
        model,
        GENOTYPE,
        TextTrainingSettings(3, 2, B, T, learning_rate=1.0),
        windows,
        lambda: [next(windows(500))],
        B,
        Replicas("one_device"),
    )


@pytest.fixture
def loop():
    return new_loop()


def test_the_trigger_looks_past_the_patience():
    assert not averaging_starts([5, 4, 3], 9, 5)
    assert not averaging_starts([5, 4, 3, 3, 3, 3], 4.9, 5)
    assert averaging_starts([4, 5, 5, 5, 5, 5], 4.1, 5)
    assert not averaging_starts([4, 5, 5, 5, 5, 5], 3.9, 5)


@pytest.mark.slow
def test_rate_follows_the_length_of_the_window(loop):
    rates = [loop.advance()["learning_rate"] for _ in range(3)]
    assert rates == [0.5, 1.0, 1.0]


def undisturbed_and_resumed(loop):
    """(losses, state) of three steps, and of the same three once more."""
    loop.advance()
    state = loop.state()
    runs = []
    for _ in range(2):
        losses = [float(loop.advance()["train/loss"]) for _ in range(3)]
        runs.append((losses, loop.state()))
        loop.restore(state)
    return runs


@pytest.mark.slow
def test_resumed_training_equals_an_undisturbed_one(loop):
    """But for the order of sums, see run/process/ordered_sums.py."""
    (first, after), (again, found) = undisturbed_and_resumed(loop)
    np.testing.assert_allclose(first, again, rtol=1e-6)
    for name, array in found.items():
        np.testing.assert_allclose(
            array, after[name], rtol=1e-5, atol=1e-7, err_msg=name
        )


@pytest.mark.slow
def test_with_ordered_sums_they_are_equal_to_the_bit():
    """A difference is rare; that no sum can make one is seen in the graph."""
    with ordered_sums.restored():
        ordered_sums.switch_on()
        loop = new_loop()
        (first, after), (again, found) = undisturbed_and_resumed(loop)
        batch = (*next(windows(1)), loop._hidden)
        seed, number = tf.constant([0, 1]), tf.constant(1.0)
        assert longest_sum(loop._train, batch, seed, number, number) == 2
    assert first == again
    for name, array in found.items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


@pytest.mark.slow
def test_weights_are_averaged_from_the_trigger_on(loop):
    loop.advance()
    for plain, mean in zip(loop._w, loop._average):
        np.testing.assert_array_equal(plain, mean)
    loop._averaging = True
    seen = []
    for _ in range(3):
        loop.advance()
        seen.append([v.numpy() for v in loop._w])
    for index, mean in enumerate(loop._average):
        by_hand = np.mean([w[index] for w in seen], 0)
        np.testing.assert_allclose(mean, by_hand, atol=1e-6)


@pytest.mark.slow
def test_end_of_epoch_measures_with_the_average(loop):
    loop.advance()
    before = loop.end_epoch()["valid/perplexity"]
    for v in loop._w:
        v.assign(v + 1.0)
    assert loop.end_epoch()["valid/perplexity"] == before
    assert len(loop.history) == 2
