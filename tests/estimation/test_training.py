"""A training of the smallest network, as the driver drives it."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import named
from darts_tf.estimation.training import (
    Training,
    cross_entropy,
    training_loss,
)
from darts_tf.estimation.training_settings import TrainingSettings
from darts_tf.networks import nasbench201
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.space.published import CONVOLUTIONAL, load_genotype


def batches(start):
    for step in range(start, 100):
        rng = np.random.default_rng(step)
        images = rng.standard_normal((8, 8, 8, 1)).astype(np.float32)
        yield tf.constant(images), tf.constant([0, 1, 2, 1] * 2)


@pytest.fixture(scope="module")
def loop():
    keras.utils.set_random_seed(0)
    net = EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3)
    net(tf.zeros((1, 8, 8, 1)), training=True)
    settings = TrainingSettings(3, 2, 8, drop_path=0.5)
    measured = lambda: [next(batches(50))]
    return Training(net, settings, batches, measured, Replicas("one_device"))


@pytest.mark.slow
def test_resumed_training_equals_an_undisturbed_one(loop):
    loop.advance()
    state = loop.state()
    [loop.advance() for _ in range(3)]
    after = loop.state()
    loop.restore(state)
    [loop.advance() for _ in range(3)]
    for name, array in loop.state().items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


def test_a_step_is_sgd_on_each_weight_and_moves_each_statistic():
    """As a list of tensors through Keras's own call gives them."""
    keras.utils.set_random_seed(1)
    net = EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3)
    net.build((None, 8, 8, 1))
    settings = TrainingSettings(3, 2, 8, drop_path=0.0, clip_norm=0.5)
    loop = Training(net, settings, batches, None, Eager("one_device"))
    w = [v.value for v in net.trainable_variables]
    slots = [tf.zeros(v.shape) for v in w]
    statistics = [v.value for v in net.non_trainable_variables]
    sgd = SGD(settings.momentum, settings.weight_decay, settings.clip_norm)
    for images, labels in itertools.islice(batches(0), 2):
        with tf.GradientTape() as tape:
            tape.watch(w)
            (logits, auxiliary), statistics = net.stateless_call(
                w, statistics, images, training=True
            )
            loss = cross_entropy(logits, labels)
            loss += 0.4 * cross_entropy(auxiliary, labels)
        g = tape.gradient(loss, w, unconnected_gradients="zero")
        w, slots = sgd.step(w, g, slots, tf.constant(0.025))
        assert float(loop.advance()["train/loss"]) == pytest.approx(
            float(loss), rel=1e-4
        )
    groups = {"w": w, "slots": slots, "statistics": statistics}
    wanted = named(groups, 2)
    found = {n: a for n, a in loop.state().items() if n in wanted}
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(
            found[name], array, rtol=1e-3, atol=2e-5, err_msg=name
        )


def test_it_may_start_from_what_the_model_was_given_later(loop):
    before = loop.state()
    stem, mean = loop.model.weights[0], loop.model.non_trainable_variables[0]
    stem.assign(0 * stem + 3)
    mean.assign(0 * mean + 5)
    loop.start_from_model()
    after = loop.state()
    assert (after["w/00000"] == 3).all()
    assert (after["statistics/00000"] == 5).all()
    loop.restore(before)
    np.testing.assert_array_equal(loop.state()["w/00000"], before["w/00000"])


def test_drop_path_rises_and_learning_rate_falls(loop):
    loop.step = 0
    scalars = [loop.advance() for _ in range(6)]
    assert [s["drop_path"] for s in scalars[::2]] == pytest.approx([0, 0.5 / 3, 1 / 3])
    rates = [s["learning_rate"] for s in scalars]
    assert rates[0] == 0.025 and rates == sorted(rates, reverse=True)


def test_best_epoch_is_kept_apart(loop):
    loop.best_accuracy, loop.best_epoch = 2.0, 1
    assert loop.end_epoch()["valid/accuracy"] <= 1
    assert (loop.best_accuracy, loop.best_epoch) == (2.0, 1)


def test_a_node_that_reaches_no_output_may_be_trained():
    genotype = load_genotype(
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "nasbench201",
    )
    net = nasbench201.EvaluationNetwork(genotype, 2, 3, 3)
    net(tf.zeros((1, 8, 8, 1)), training=True)
    settings = TrainingSettings(1, 1, 8, weight_decay=0.0)
    loop = Training(net, settings, batches, None, Replicas("one_device"))
    numbers = {id(v): n for n, v in enumerate(net.trainable_variables)}

    def weights(layer):
        state = loop.state()
        places = [numbers[id(v)] for v in layer.trainable_variables]
        return [state[f"w/{n:05d}"] for n in places]

    cell, stem = weights(net.cells[0]), weights(net.stem)
    loop.advance()
    for now, value in zip(weights(net.cells[0]), cell, strict=True):
        np.testing.assert_array_equal(now, value)
    assert np.abs(weights(net.stem)[0] - stem[0]).max() > 0


def test_auxiliary_loss_is_weighted(loop):
    model, batch = loop.model, next(batches(0))
    w = [v.value for v in model.trainable_variables]
    values = [
        float(training_loss(model, weight, False)(w, batch, None, None)[0])
        for weight in (0.0, 0.4, 0.8)
    ]
    assert values[1] > values[0]
    assert values[2] - values[1] == pytest.approx(values[1] - values[0], rel=1e-4)


class Eager(Replicas):
    """One device without graphs: few steps are cheaper than their traces."""

    def compile(self, function):
        return function


def in_precision(precision):
    keras.utils.set_random_seed(0)
    net = EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3)
    net(tf.zeros((1, 8, 8, 1)), training=True)
    settings = TrainingSettings(
        3, 2, 8, drop_path=0.5, precision=precision, learning_rate=0.1
    )
    return Training(net, settings, batches, None, Eager("one_device"))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_in_low_precision_state_and_measures_are_float32(precision):
    """And a resumed training equals an undisturbed one, near float32's."""
    loop, plain = in_precision(precision), in_precision("float32")
    scalars = [loop.advance(), plain.advance()]
    losses = [float(s["train/loss"]) for s in scalars]
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.02)
    assert ("train/skipped" in scalars[0]) == (precision == "mixed_float16")
    state = loop.state()
    loop.advance()
    again = in_precision(precision)
    again.restore(state)
    again.advance()
    after = loop.state()
    for name, array in again.state().items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)
    kinds = {a.dtype for n, a in after.items() if "/" in n}
    assert kinds == {np.dtype(np.float32)}
    assert loop.model(next(batches(50))[0], training=False).dtype == tf.float32


def test_smoothing_is_a_target_of_all_classes():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((6, 4)), np.array([0, 1, 2, 3, 0, 1])
    target = 0.9 * np.eye(4)[labels] + 0.1 / 4
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -(target * np.log(p)).sum(1).mean()
    found = cross_entropy(tf.constant(logits), tf.constant(labels), 0.1)
    assert float(found) == pytest.approx(expected)
    plain = -np.log(p[np.arange(6), labels]).mean()
    found = cross_entropy(tf.constant(logits), tf.constant(labels))
    assert float(found) == pytest.approx(plain)


def test_both_heads_are_smoothed(loop):
    model, batch = loop.model, next(batches(0))
    w = [v.value for v in model.trainable_variables]
    state = [v.value for v in model.non_trainable_variables]
    (logits, auxiliary), _ = model.stateless_call(w, state, batch[0], training=True)
    expected = cross_entropy(logits, batch[1], 0.3)
    expected += 0.4 * cross_entropy(auxiliary, batch[1], 0.3)
    loss, _, _ = training_loss(model, 0.4, False, 0.3)(w, batch, None, None)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_the_first_five_answers_are_counted(loop):
    """With three classes one of them is always right."""
    assert loop.accuracy([next(batches(60))]) < 1
    assert loop.top_accuracy([next(batches(60))]) == 1
