"""Perturbed mixing weights in w's step: their bounds, the adversary, and searches."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.strategy.darts import alpha_perturbation as perturbation
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.search_settings import SearchSettings
from tests.strategy.small_space import SMALL
from tests.strategy.toy_search import EPOCHS, STEPS, RelaxedToy, build, run

SEED = tf.constant([2, 9])
AROUND = perturbation.Neighbourhood(SMALL, relaxed=False, competing=True)
ALPHA = [np.random.default_rng(n).normal(size=(2, 5)) for n in range(2)]
WEIGHTS = [derivation.softmax(a) for a in ALPHA]


def test_losses_take_the_same_weights_back():
    weights = perturbation.weights_of(AROUND, [tf.constant(a) for a in ALPHA])
    taken = perturbation.taken_of(AROUND, weights)
    for t, w, expected in zip(taken, weights, WEIGHTS, strict=True):
        np.testing.assert_allclose(w, expected)
        np.testing.assert_allclose(tf.nn.softmax(t), expected)


def test_weights_outside_are_clipped_and_add_up_to_one():
    rows = tf.constant([[1.5, -0.2, 0.5], [-0.3, -0.1, -0.2]], tf.float64)
    projected = AROUND.project(rows)
    np.testing.assert_allclose(projected, [[2 / 3, 0, 1 / 3], [0, 1, 0]])
    alone = perturbation.Neighbourhood(SMALL, relaxed=True, competing=False)
    np.testing.assert_allclose(alone.project(rows), [[1, 0, 0.5], [0, 0, 0]])
    assert np.isfinite(tf.nn.softmax(tf.math.log(projected)).numpy()).all()


def test_random_neighbours_are_uniform_and_a_function_of_the_seed():
    free = perturbation.Neighbourhood(SMALL, relaxed=True, competing=False)
    middle, epsilon = [tf.fill([2, 5], 0.5)] * 2, 0.2
    drawn = [
        np.array(
            perturbation.random_neighbour(free, middle, tf.constant([0, n]), epsilon)
        )
        for n in range(300)
    ]
    again = perturbation.random_neighbour(free, middle, tf.constant([0, 7]), epsilon)
    np.testing.assert_array_equal(drawn[7], again)
    delta = np.array(drawn) - 0.5
    assert np.abs(delta).max() <= epsilon + 1e-6
    np.testing.assert_allclose(delta.mean(), 0, atol=0.01)
    np.testing.assert_allclose(delta.std(), epsilon / 3**0.5, atol=0.01)


def linear_loss(w, weights, batch, seed):
    """L = <slopes, p>: the worst neighbour is known."""
    del batch, seed
    return tf.add_n([tf.reduce_sum(w[0] * p) for p in weights]), {}


def test_the_adversary_finds_the_worst_corner_of_a_linear_loss():
    slopes = np.where(np.arange(10).reshape(2, 5) % 2, 1.0, -1.0)
    free = perturbation.Neighbourhood(SMALL, relaxed=True, competing=False)
    middle, w = (
        [tf.fill([2, 5], tf.constant(0.5, tf.float64))] * 2,
        [tf.constant(slopes)],
    )
    worst = perturbation.adversary(free, linear_loss, w, middle, None, SEED, 0.1)
    for p in worst:
        np.testing.assert_allclose(p, 0.5 + 0.1 * slopes)


def test_an_adversary_that_lost_is_left_out():
    p, q = [tf.zeros((2, 5))] * 2, [tf.ones((2, 5))] * 2
    for before, chosen in ((2.0, 0), (0.5, 1), (1.0, 1)):
        result = perturbation.the_worse(AROUND, p, q, before, 1.0)
        np.testing.assert_array_equal(result[0], chosen)


def test_epsilon_rises_as_published():
    settings = SearchSettings("first_order", 10, 1, 4)
    assert settings.epsilon_in(0) == 0.03
    assert settings.epsilon_in(5) == pytest.approx(0.03 + 0.27 / 2)
    small = SearchSettings("first_order", 10, 1, 4, alpha_perturbation_epsilon=0.01)
    assert small.epsilon_in(9) == 0.01


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random", "adversarial"])
def test_w_alone_learns_at_the_perturbed_weights(kind):
    common = {"alpha_weight_decay": 0.0, "alpha_perturbation_epsilon": 0.5}
    plain, perturbed = build(**common), build(**common, alpha_perturbation=kind)
    seen = [float(search.advance()["train/loss"]) for search in (plain, perturbed)]
    for a, b in zip(
        plain.architecture.values(), perturbed.architecture.values(), strict=True
    ):
        np.testing.assert_array_equal(a, b)  # alpha's first gradient is at p itself
    assert seen[0] != seen[1]
    if kind == "adversarial":
        assert seen[1] > seen[0]
    assert np.isfinite(perturbed.task.w[0].numpy()).all()
    assert perturbed.advance()["alpha_perturbation_epsilon"] == 0.03


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind, relaxation, task",
    [("adversarial", "softmax", None), ("random", "dirichlet", RelaxedToy)],
)
def test_a_resumed_search_is_perturbed_as_one_left_alone(kind, relaxation, task):
    chosen = {"alpha_perturbation": kind, "relaxation": relaxation}
    if task is not None:
        chosen["task"] = task
    alone = run(build(**chosen), EPOCHS * STEPS)
    first = run(build(**chosen), STEPS + 1)
    second = build(**chosen)
    second.restore(first.state())
    run(second, EPOCHS * STEPS - STEPS - 1)
    for name, array in second.state().items():
        np.testing.assert_array_equal(array, alone.state()[name])
