"""alpha and w on one loss, against steps computed by hand."""

from __future__ import annotations

import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import relaxation, tasks
from darts_tf.strategy.darts.joint import AlternatingSearch, SimultaneousSearch
from darts_tf.strategy.darts.search_settings import SearchSettings
from tests.strategy.small_space import SMALLER

SETTINGS = SearchSettings(
    "first_order",
    3,
    1,
    4,
    learning_rate=0.5,
    weight_decay=0.1,
    clip_norm=0.2,
    temperature_end=0.25,
)


def stream(offset: int):
    """Batches that differ from those of another offset."""

    def batches(start):
        for step in range(start, 100):
            rng = np.random.default_rng(step + offset)
            images = rng.standard_normal((4, 8, 8, 1)).astype(np.float32)
            yield tf.constant(images), tf.constant([0, 1, 2, 1])

    return batches


def build(kind):
    keras.utils.set_random_seed(0)
    net = Supernet(SMALLER, 1, 3, 3)
    start = relaxation.initial_alpha(SMALLER, 0)
    net(tf.zeros((1, 8, 8, 1)), relaxation.per_cell(start, SMALLER, net.kinds))
    replicas = Replicas("one_device")
    task = tasks.ImageTask(
        net, stream(0), stream(1000), lambda: [next(stream(0)(50))], replicas
    )
    return kind(task, SETTINGS, replicas)


@pytest.fixture(scope="module")
def alternating():
    return build(AlternatingSearch)


@pytest.fixture(scope="module")
def simultaneous():
    return build(SimultaneousSearch)


def gradients(loop, w, alpha, batch, temperature=1.0):
    """d loss / d (w, alpha), eagerly, alpha / T being part of the loss."""
    w, alpha = ([tf.constant(x) for x in rows] for rows in (w, alpha))
    with tf.GradientTape() as tape:
        tape.watch([w, alpha])
        value, _ = loop.task.train_loss(
            w, [a / temperature for a in alpha], batch, tf.constant([0, 0])
        )
    return [[g.numpy() for g in rows] for rows in tape.gradient(value, (w, alpha))]


def group(state, name: str) -> list[np.ndarray]:
    return [state[n] for n in sorted(state) if n.startswith(f"{name}/")]


def clipped(rows: list[np.ndarray]) -> list[np.ndarray]:
    norm = np.sqrt(sum(np.square(g).sum() for g in rows))
    assert norm > SETTINGS.clip_norm
    return [g * SETTINGS.clip_norm / norm for g in rows]


def near(found, expected) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)


@pytest.mark.slow
def test_in_turn_each_moves_on_its_own_batch_of_the_union(alternating):
    before, loop = alternating.state(), alternating
    w, alpha = group(before, "w"), group(before, "alpha")
    record = loop.advance()
    after = loop.state()
    _, g = gradients(loop, w, alpha, next(stream(1000)(0)))
    moments = group(after, "alpha_slots")[: len(alpha)]  # (1 - beta1) g, Adam
    decay = SETTINGS.alpha_weight_decay
    near(moments, [0.5 * (d + decay * a) for d, a in zip(g, alpha)])
    batch, moved = next(stream(0)(0)), group(after, "alpha")
    rows = clipped(gradients(loop, w, moved, batch)[0])
    near(group(after, "w_slots"), [d + 0.1 * t for d, t in zip(rows, w)])
    assert "union/loss" in record and "valid/loss" not in record


@pytest.mark.slow
def test_at_once_one_sgd_moves_both_on_one_batch(simultaneous):
    loop, velocity = simultaneous, None
    for step, temperature in enumerate((1.0, 0.5)):  # 0.25 in the third
        before = loop.state()
        w, alpha = group(before, "w"), group(before, "alpha")
        rate = loop.advance()["learning_rate"]
        after = loop.state()
        by_w, by_alpha = gradients(loop, w, alpha, next(stream(0)(step)), temperature)
        old = velocity or [0.0] * len([*w, *alpha])
        velocity = [
            0.9 * v + d + 0.1 * t
            for v, d, t in zip(
                old, clipped([*by_w, *by_alpha]), [*w, *alpha], strict=True
            )
        ]
        near([*group(after, "w_slots"), *group(after, "alpha_slots")], velocity)
        moved = [t - rate * v for t, v in zip([*w, *alpha], velocity)]
        near([*group(after, "w"), *group(after, "alpha")], moved)


def test_a_resumed_search_equals_an_undisturbed_one(simultaneous):
    loop = simultaneous
    loop.advance()
    state = loop.state()
    assert any(a.any() for a in group(state, "alpha_slots"))
    losses = [float(loop.advance()["train/loss"]) for _ in range(2)]
    after = loop.state()
    loop.restore(state)
    assert losses == [float(loop.advance()["train/loss"]) for _ in range(2)]
    for name, array in loop.state().items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


def test_what_is_measured_is_not_called_validation(simultaneous):
    record = simultaneous.end_epoch()
    assert 0 <= record["union/accuracy"] <= 1
    assert not any(name.startswith("valid/") for name in record)


@pytest.mark.parametrize("wrong", [{"method": "exact"}, {"lambda_regularizer": "sign"}])
def test_other_settings_are_refused(wrong):
    settings = dataclasses.replace(SETTINGS, **wrong)
    (value,) = wrong.values()
    with pytest.raises(InputError, match=value):
        AlternatingSearch(None, settings, None)


def test_two_losses_are_refused():
    task = types.SimpleNamespace(train_loss=min, valid_loss=max)
    with pytest.raises(InputError, match="one loss"):
        AlternatingSearch(task, SETTINGS, None)


def test_no_warm_up_where_both_move_at_once(simultaneous):
    settings = dataclasses.replace(SETTINGS, warmup_epochs=1)
    with pytest.raises(InputError, match="warmup_epochs must be 0"):
        SimultaneousSearch(simultaneous.task, settings, Replicas("one_device"))
