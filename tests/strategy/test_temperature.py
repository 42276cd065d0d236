"""Annealing of the softmax's temperature, on a smooth toy supernet."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.strategy.darts import bilevel, derivation
from darts_tf.strategy.darts.search_loop import Search
from tests.strategy.small_space import SMALL
from tests.strategy.toy_search import EPOCHS, STEPS, build, loss, run, seen_gradient

END = 0.1


def in_last_epoch(method, **more) -> Search:
    """At the start of the epoch whose temperature is END."""
    return run(build(method, temperature_end=END, **more), (EPOCHS - 1) * STEPS)


def reference(search) -> list[np.ndarray]:
    """d/dalpha of L_val(w'(alpha), softmax(alpha / T)), by nested tapes."""
    train, valid = search.task.batches(search.step)
    alpha = [tf.constant(a) for a in search.architecture.values()]
    w = [tf.identity(v) for v in search.task.w]
    slots = [tf.identity(s) for s in search.weights.slots]
    sgd = SGD(0.9, 3e-4, 5.0)
    with tf.GradientTape() as outer:
        outer.watch(alpha)
        cold = [a / END for a in alpha]
        with tf.GradientTape() as inner:
            inner.watch(w)
            value, _ = loss(w, cold, train, None)
        g = inner.gradient(value, w)
        if search.settings.method != "first_order":
            rate = search.settings.learning_rate_in(search.epoch)
            w, _ = sgd.step(w, g, slots, rate)
        value, _ = loss(w, cold, valid, None)
    return [g.numpy() for g in outer.gradient(value, alpha)]


@pytest.mark.parametrize("method", bilevel.METHODS)
def test_gradient_is_that_through_the_tempered_softmax(method):
    search = in_last_epoch(method, alpha_weight_decay=0.0)
    expected = reference(search)
    scale = max(np.abs(g).max() for g in expected)
    assert scale > 1e-3
    tolerance = 1e-2 if method == "finite_difference" else 1e-4
    for seen, g in zip(seen_gradient(search), expected, strict=True):
        np.testing.assert_allclose(seen, g, atol=tolerance * scale)
    assert search.architecture.temperature == pytest.approx(END)


def test_without_annealing_nothing_is_divided_bit_by_bit():
    search = run(build(alpha_weight_decay=0.0), STEPS)
    read_now = search.architecture.read()
    for read, alpha in zip(read_now, search.architecture.values()):
        np.testing.assert_array_equal(read, alpha)
    assert "temperature" not in search.end_epoch()
    slots = [tf.identity(s) for s in search.architecture.slots]
    alpha = search.architecture.values()
    _, valid = search.task.batches(search.step)
    w, seed = [tf.identity(v) for v in search.task.w], tf.constant([0, search.step])
    with search.execution.active():
        g, _, _ = bilevel.grad_alpha(search.task.valid_loss, w, read_now, valid, seed)
    expected, _ = search._alpha_optimizer().step(alpha, g, slots)
    search.advance()
    for moved, a in zip(search.architecture.values(), expected, strict=True):
        np.testing.assert_array_equal(moved, a)


def test_temperature_falls_geometrically_and_belongs_to_the_epoch():
    search, seen = build(temperature_end=END), []
    assert search.architecture.temperature == 1
    for _ in range(EPOCHS):
        run(search, STEPS)
        measured = search.end_epoch()["temperature"]
        assert measured == search.architecture.temperature
        seen.append(measured)
    np.testing.assert_allclose(seen, [1, END**0.5, END])


def test_what_is_reported_has_the_temperature():
    search = in_last_epoch("first_order")
    warm = search.architecture.mixing_weights()
    alpha = search.architecture.values()
    for step in range(2):  # the second within the epoch
        run(search, 1)
        cold = search.architecture.mixing_weights()
        assert search.step == (EPOCHS - 1) * STEPS + step + 1
        for rows, p in zip(search.architecture.values(), cold.values()):
            expected = tf.nn.softmax(rows.astype(np.float64) / END)
            np.testing.assert_allclose(p, expected, rtol=1e-6)

    def entropy(p):
        return -(p * np.log(p)).sum(-1).mean()

    assert np.abs(alpha[0]).max() > 0.1
    for name in warm:
        assert entropy(cold[name]) < entropy(warm[name]) - 0.1


def test_the_genotype_ranks_edges_by_the_cold_softmax():
    search = in_last_epoch("first_order")
    rows = np.float32([[0, 1.3, 0, 0, 0], [0, 2, 1.9, -9, -9]])
    for alpha in search.architecture.variables:
        alpha.assign(rows)
    (spec, _), both = SMALL.cells, search.genotype().cells
    warm = derivation.derive_cell(spec, derivation.softmax(rows))
    assert [source for _, source in warm.edges] == [1, 0]
    for cell in both.values():
        assert [source for _, source in cell.edges] == [0, 1]


def test_resumed_between_and_within_epochs_is_as_left_alone():
    alone = run(build(temperature_end=END), EPOCHS * STEPS)
    for stop in (2, 3, EPOCHS * STEPS):
        first = run(build(temperature_end=END), stop)
        second = build(temperature_end=END)
        second.restore(first.state())
        assert second.architecture.temperature == (first.architecture.temperature)
        before = first.architecture.mixing_weights()
        for name, p in second.architecture.mixing_weights().items():
            np.testing.assert_array_equal(p, before[name])
        run(second, EPOCHS * STEPS - stop)
        for name, array in second.state().items():
            np.testing.assert_array_equal(array, alone.state()[name])
