"""Penalties of alpha: known values, finite differences, and their place in a search."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.strategy.darts import alpha_regularizer, bilevel, derivation
from darts_tf.strategy.darts.joint import SimultaneousSearch
from darts_tf.strategy.darts.search_settings import SearchSettings
from tests.strategy.small_space import SMALL
from tests.strategy.toy_search import EPOCHS, STEPS, build, run, seen_gradient

EDGES, CANDIDATES = SMALL.cells[0].alpha_shape


def random_alpha(columns: int = CANDIDATES) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.normal(size=(EDGES, columns)) for _ in SMALL.cells]


def gradient_of(name: str, alpha, strength: float = 1.0) -> list[np.ndarray]:
    alpha = [tf.constant(a) for a in alpha]
    zeros = [tf.zeros_like(a) for a in alpha]
    penalty = alpha_regularizer.Penalty(name, SMALL)
    added = alpha_regularizer.add_gradient(
        penalty, zeros, alpha, tf.constant(strength, tf.float64)
    )
    return [a.numpy() for a in added]


def test_beta_decay_pulls_each_edge_by_its_softmax():
    alpha = random_alpha()
    for seen, a in zip(gradient_of("beta_decay", alpha, 3.0), alpha, strict=True):
        expected = 3 * derivation.softmax(a) / EDGES
        np.testing.assert_allclose(seen, expected, rtol=1e-12)


def test_equal_candidates_have_the_entropy_of_their_number():
    uniform = np.zeros((EDGES, CANDIDATES))
    for penalty in (alpha_regularizer.entropy, alpha_regularizer.beta_decay):
        assert float(penalty([uniform])) == pytest.approx(np.log(CANDIDATES))
    np.testing.assert_allclose(gradient_of("entropy", [uniform] * 2), 0, atol=1e-15)


@pytest.mark.parametrize("name", alpha_regularizer.PENALTIES)
@pytest.mark.parametrize("columns", [CANDIDATES, CANDIDATES + 1])
def test_gradients_are_those_of_finite_differences(name, columns):
    alpha, step = random_alpha(columns), 1e-5
    penalty = alpha_regularizer.Penalty(name, SMALL)
    for cell, seen in enumerate(gradient_of(name, alpha)):
        expected = np.zeros_like(seen)
        for place in np.ndindex(*seen.shape):
            values = []
            for sign in (1, -1):
                moved = [a.copy() for a in alpha]
                moved[cell][place] += sign * step
                values.append(float(penalty(moved)))
            expected[place] = (values[0] - values[1]) / (2 * step)
        np.testing.assert_allclose(seen, expected, atol=1e-9)
        if columns > CANDIDATES:  # the weights of whole edges are left alone
            np.testing.assert_array_equal(seen[:, -1], 0)


def test_descent_on_the_entropy_alone_keeps_one_candidate():
    alpha = random_alpha()
    winners = [a.argmax(-1) for a in alpha]
    for _ in range(60):
        gradient = gradient_of("entropy", alpha)
        alpha = [a - 10 * g for a, g in zip(alpha, gradient, strict=True)]
    for a, winner in zip(alpha, winners, strict=True):
        np.testing.assert_array_equal(a.argmax(-1), winner)
        assert derivation.softmax(a).max(-1).min() > 0.95


def test_the_strength_rises_over_the_epochs_in_which_alpha_moves():
    settings = SearchSettings(
        "first_order",
        10,
        1,
        4,
        warmup_epochs=5,
        alpha_regularizer="beta_decay",
        alpha_regularizer_strength=50.0,
    )
    seen = [settings.alpha_strength_in(epoch) for epoch in range(10)]
    assert seen == [0, 0, 0, 0, 0, 0, 10, 20, 30, 40]


def difference(method: str, **more) -> tuple[list, list, list]:
    """Returns (alpha / T, seen gradient with the penalty, and without it)."""
    chosen = {
        "alpha_regularizer": "beta_decay",
        "alpha_regularizer_strength": 2.0,
        "alpha_regularizer_schedule": "constant",
    }
    common = {"alpha_weight_decay": 0.0, "temperature_end": 0.5, **more}
    plain = run(build(method, **common), (EPOCHS - 1) * STEPS)
    state = plain.state()
    other = build(method, **common, **chosen)
    other.restore(state)
    alpha = [a / 0.5 for a in plain.architecture.values()]
    return alpha, seen_gradient(other), seen_gradient(plain)


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_all_methods_take_it_as_the_penalty_of_alpha_over_t(method):
    alpha, seen, without = difference(method)
    for a, s, w in zip(alpha, seen, without, strict=True):
        expected = 2 * derivation.softmax(a) / EDGES / 0.5
        np.testing.assert_allclose(s - w, expected, atol=1e-4)


def test_a_joint_step_takes_it_too():
    common = {"kind": SimultaneousSearch, "clip_norm": 0.0, "weight_decay": 0.0}
    plain = build(**common)
    pulled = build(
        **common,
        alpha_regularizer="beta_decay",
        alpha_regularizer_strength=2.0,
        alpha_regularizer_schedule="constant",
    )
    start = plain.architecture.values()
    for search in (plain, pulled):
        scalars = search.advance()
    assert scalars["alpha_regularizer_strength"] == 2
    pairs = zip(
        start, plain.architecture.values(), pulled.architecture.values(), strict=True
    )
    for a, left, right in pairs:
        expected = scalars["learning_rate"] * 2 * derivation.softmax(a) / EDGES
        np.testing.assert_allclose(left - right, expected, atol=1e-6)


def test_a_resumed_search_has_the_strength_of_its_epoch():
    chosen = {"alpha_regularizer": "entropy", "alpha_regularizer_strength": 3.0}
    alone = run(build(**chosen), EPOCHS * STEPS)
    first = run(build(**chosen), STEPS + 1)
    second = build(**chosen)
    second.restore(first.state())
    run(second, EPOCHS * STEPS - STEPS - 1)
    for name, array in second.state().items():
        np.testing.assert_array_equal(array, alone.state()[name])
