"""Relaxations other than the softmax: distributions, gradients, and whole searches."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import config
from darts_tf.config import names
from darts_tf.strategy.darts import bilevel, derivation
from darts_tf.strategy.darts import other_relaxations as others
from darts_tf.strategy.darts.alpha_regularizer import PENALTIES, kl_anchor, zero_one
from darts_tf.strategy.darts.joint import SimultaneousSearch
from tests.strategy.small_space import SMALL
from tests.strategy.toy_search import (
    EPOCHS,
    STEPS,
    RelaxedToy,
    build,
    run,
    seen_gradient,
)

SEED = tf.constant([3, 7])
ALPHA = np.array([[0.5, -1.0, 2.0, 0.0, -3.0], [0.1, 0.2, -0.3, 1.5, 0.0]])


def copies_of(alpha: np.ndarray, count: int):
    """Returns alpha `count` times, [count, edges, candidates]."""
    return tf.constant(np.broadcast_to(alpha, (count, *alpha.shape)).copy())


def draws(alpha: np.ndarray, count: int) -> np.ndarray:
    """Returns `count` draws, [count, edges, candidates]."""
    return others.dirichlet(copies_of(alpha, count), SEED).numpy()


def test_draws_have_the_means_and_variances_of_the_distribution():
    drawn = draws(ALPHA, 20_000)
    np.testing.assert_allclose(drawn.sum(-1), 1)
    mean = derivation.dirichlet_mean(ALPHA)
    c = others.concentrations(tf.constant(ALPHA)).numpy().sum(-1, keepdims=True)
    variance = mean * (1 - mean) / (c + 1)
    np.testing.assert_allclose(drawn.mean(0), mean, atol=0.01)
    np.testing.assert_allclose(drawn.var(0), variance, atol=0.003)


def test_the_gradient_along_the_path_is_that_of_the_expectation():
    """E[sum_k s_k p_k] is linear in the means, whose derivative is known."""
    slopes = np.arange(5.0)
    with tf.GradientTape() as tape:
        copies = copies_of(ALPHA, 40_000)
        tape.watch(copies)
        value = tf.reduce_sum(others.dirichlet(copies, SEED) * slopes)
    seen = tape.gradient(value, copies).numpy().mean(0)
    step, expected = 1e-5, np.zeros_like(ALPHA)
    for place in np.ndindex(*ALPHA.shape):
        moved = np.zeros_like(ALPHA)
        moved[place] = step
        above, below = (derivation.dirichlet_mean(ALPHA + s * moved) for s in (1, -1))
        expected[place] = ((above - below) * slopes).sum() / (2 * step)
    np.testing.assert_allclose(seen, expected, atol=0.02)


@pytest.mark.parametrize("alpha", [-60.0, 60.0])
def test_draws_and_gradients_stay_finite(alpha):
    rows = tf.constant([[alpha] * 4 + [0.0]])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        drawn = others.dirichlet(rows, SEED)
        value = tf.reduce_sum(drawn * np.arange(5, dtype=np.float32))
    assert np.isfinite(drawn.numpy()).all()
    assert np.isfinite(tape.gradient(value, rows).numpy()).all()


def test_the_anchor_is_zero_at_the_uniform_distribution_and_matches_draws():
    assert float(kl_anchor([np.zeros((2, 5))])) == pytest.approx(0, abs=1e-12)
    alpha = ALPHA[1:]
    drawn = draws(alpha, 100_000)
    c = others.concentrations(tf.constant(alpha)).numpy()
    lgamma = tf.math.lgamma
    density = (np.log(drawn) * (c - 1)).sum(-1)
    density += float(lgamma(c.sum())) - lgamma(c).numpy().sum()
    expected = density.mean() - float(lgamma(tf.constant(5.0, tf.float64)))
    assert float(kl_anchor([alpha])) == pytest.approx(expected, abs=0.02)


def test_zero_one_is_least_where_all_weights_are_decided():
    undecided, decided = np.zeros((2, 5)), np.full((2, 5), 40.0)
    assert float(zero_one([undecided, undecided])) == 0
    assert float(zero_one([decided, -decided])) == pytest.approx(-0.25)


def test_draws_are_a_function_of_seed_and_number():
    relaxation = others.Relaxation("dirichlet", SMALL)
    alpha = [tf.zeros((2, 5)), tf.zeros((2, 5))]
    first, again, other = (
        others.mixing_weights(relaxation, alpha, SEED, tf.constant(n), 1.0)
        for n in (1, 1, 2)
    )
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 0.01
    assert np.abs(first[0] - first[1]).max() > 0.01  # each cell has its own


def test_gumbel_draws_with_the_probabilities_of_the_softmax():
    drawn = others.gumbel(copies_of(ALPHA, 20_000), SEED, 10.0).numpy()
    assert set(np.unique(drawn)) == {0, 1} and (drawn.sum(-1) == 1).all()
    probabilities = derivation.probabilities(ALPHA)
    np.testing.assert_allclose(drawn.mean(0), probabilities, atol=0.015)


@pytest.mark.parametrize("tau", [10.0, 0.1])
def test_gumbel_is_differentiated_as_the_tempered_softmax_of_its_noise(tau):
    alpha, slopes = tf.constant(ALPHA), tf.constant(np.arange(5.0))
    with tf.GradientTape() as tape:
        tape.watch(alpha)
        value = tf.reduce_sum(others.gumbel(alpha, SEED, tau) * slopes)
    uniform = tf.random.stateless_uniform(ALPHA.shape, SEED, 1e-20, 1, tf.float64)
    noisy = (ALPHA - np.log(-np.log(uniform.numpy()))) / tau
    p = derivation.softmax(noisy)
    expected = p * (slopes - (p * slopes).numpy().sum(-1, keepdims=True)) / tau
    np.testing.assert_allclose(tape.gradient(value, alpha), expected, rtol=1e-6)


def reference(search, name: str) -> list[np.ndarray]:
    """d/dalpha of L_val(w'(p(alpha)), p(alpha)), through the draw, by nested tapes."""
    train, valid = search.task.batches(search.step)
    seed = tf.constant([search.settings.seed, search.step])
    relaxation = others.Relaxation(name, SMALL)
    alpha = [tf.constant(a) for a in search.architecture.values()]
    w = [tf.identity(v) for v in search.task.w]
    slots = [tf.identity(s) for s in search.weights.slots]
    with tf.GradientTape() as outer:
        outer.watch(alpha)
        tau = search.settings.tau_in(search.epoch)
        p = relaxation(alpha, others.fold_in(seed, others.ALPHA_DRAW), tau)
        with tf.GradientTape() as inner:
            inner.watch(w)
            value, _ = search.task.train_loss(w, p, train, seed)
        g = inner.gradient(value, w)
        if search.settings.method != "first_order":
            rate = search.settings.learning_rate_in(search.epoch)
            w, _ = search.weights.sgd.step(w, g, slots, rate)
        value, _ = search.task.valid_loss(w, p, valid, seed)
    return [g.numpy() for g in outer.gradient(value, alpha)]


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
@pytest.mark.parametrize("name", others.FUNCTIONS)
def test_all_methods_differentiate_through_the_relaxation(name, method):
    search = run(
        build(method, task=RelaxedToy, relaxation=name, alpha_weight_decay=0.0), 1
    )
    expected = reference(search, name)
    scale = max(np.abs(g).max() for g in expected)
    tolerance = 1e-2 if method == "finite_difference" else 1e-4
    for seen, g in zip(seen_gradient(search), expected, strict=True):
        np.testing.assert_allclose(seen, g, atol=tolerance * scale)


@pytest.mark.slow
@pytest.mark.parametrize("name", others.FUNCTIONS)
def test_a_resumed_search_draws_as_one_left_alone(name):
    chosen = {"task": RelaxedToy, "relaxation": name, "warmup_epochs": 1}
    alone = run(build(**chosen), EPOCHS * STEPS)
    first = run(build(**chosen), STEPS + 1)
    second = build(**chosen)
    second.restore(first.state())
    run(second, EPOCHS * STEPS - STEPS - 1)
    for n, array in second.state().items():
        np.testing.assert_array_equal(array, alone.state()[n])


def test_what_is_measured_and_derived_has_the_mean_weights():
    search = run(build(task=RelaxedToy, relaxation="dirichlet"), STEPS)
    mean = search.architecture.mixing_weights()
    for spec, rows, tensor in zip(
        SMALL.cells, search.architecture.values(), search.values()[1], strict=True
    ):
        expected = derivation.dirichlet_mean(rows)
        np.testing.assert_allclose(mean[spec.name], expected)
        np.testing.assert_allclose(tensor, expected, rtol=1e-6)
    genotype = search.genotype()
    for spec in SMALL.cells:
        assert genotype.cells[spec.name] == derivation.derive_cell(
            spec, mean[spec.name]
        )
    assert np.isfinite(search.end_epoch()["valid/loss"])


@pytest.mark.parametrize("name", others.FUNCTIONS)
def test_a_joint_search_takes_them(name):
    search = build(kind=SimultaneousSearch, task=RelaxedToy, relaxation=name)
    start = search.architecture.values()
    run(search, 2)
    for before, after in zip(start, search.architecture.values(), strict=True):
        assert np.isfinite(after).all() and np.abs(after - before).max() > 0


def test_the_names_are_those_of_the_config():
    assert names(config.Relaxation) == ("softmax", *others.FUNCTIONS)
    assert names(config.Relaxation) == tuple(derivation.MEANS)
    assert names(config.AlphaRegularizer) == ("none", *PENALTIES)
