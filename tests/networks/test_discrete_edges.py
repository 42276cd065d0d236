"""Discrete edges: the differences between search and evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.mixed_edges import MixedEdges
from darts_tf.networks.discrete_edges import DiscreteEdges, discrete_units
from darts_tf.networks.drop_path import scales
from darts_tf.space.conv import CANDIDATES, SPACE
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.space.registry import space_by_name


def total(unit, x, weights):
    """Sum over an edge's terms for the first edge of the unit."""
    ((_, terms), *_) = unit(x, weights, training=True)
    return tf.add_n(terms).numpy()


def test_mixed_edge_is_the_weighted_sum_of_its_candidates():
    spec = SPACE.cells[0]
    unit = MixedEdges(spec, 0, 4, 1, lambda: BatchNorm(False))
    x = tf.random.stateless_normal((2, 6, 6, 4), [1, 2])
    weights = np.random.default_rng(0).random((14, 8)).astype(np.float32)
    parts = np.zeros(x.shape)
    for column, name in enumerate(CANDIDATES):
        alone = np.zeros_like(weights)
        alone[0, column] = weights[0, column]
        part = total(unit, x, tf.constant(alone))
        assert (np.abs(part).max() > 0) == (name != "none")
        parts += part
    np.testing.assert_allclose(total(unit, x, tf.constant(weights)), parts, atol=1e-5)


def test_pools_have_a_batch_norm_in_search_only():
    spec = SPACE.cells[0]
    x = 3 + tf.random.stateless_normal((2, 6, 6, 4), [1, 2])
    unit = MixedEdges(spec, 0, 4, 1, lambda: BatchNorm(False))
    weights = np.zeros((14, 8), np.float32)
    weights[0, CANDIDATES.index("max_pool_3x3")] = 1
    assert abs(total(unit, x, tf.constant(weights)).mean()) < 1e-4
    discrete = DiscreteEdges([(2, "max_pool_3x3")], 4, 1, key=0)
    ((_, (y,)),) = discrete(x, training=True)
    assert tf.reduce_mean(y) > 3 and not discrete.trainable_variables


def test_drop_path_spares_the_identity_and_the_zero_operation():
    x = tf.ones((64, 2, 2, 3))
    unit = DiscreteEdges(
        [(2, "skip_connect"), (3, "none"), (4, "max_pool_3x3")], 3, 1, 0
    )
    assert unit.droppable == 1
    half = scales(tf.constant(0.5), [1, 2], unit.droppable, 64)
    (_, (kept,)), _, (_, (y,)) = unit(x, drop_path=half, training=True)
    np.testing.assert_array_equal(kept, x)
    np.testing.assert_array_equal(y, half[0] * x)


def test_strided_identity_is_dropped():
    unit = DiscreteEdges([(2, "skip_connect")], 4, 2, 0)
    x = tf.random.stateless_normal((64, 4, 4, 4), [1, 2])
    half = scales(tf.constant(0.5), [1, 2], unit.droppable, 64)
    ((_, (y,)),) = unit(x, drop_path=half, training=True)
    gone = np.abs(y.numpy()).reshape(64, -1).max(-1) == 0
    assert 10 < gone.sum() < 54


def test_each_edge_of_a_cell_has_its_own_mask():
    """Its nodes' edges take them in turn."""
    genotype = CONVOLUTIONAL["DARTS_V2"].cells["reduce"]
    units = discrete_units(SPACE.cell("reduce"), genotype, 4, 2, 0)
    taken = [u.before + n for u in units if u for n in range(u.droppable)]
    dropped = [
        e
        for u in units
        if u
        for e in u.edges
        if e[1] != "skip_connect" or u.stride == 2
    ]
    assert taken == [*range(len(dropped))] and len(taken) > 4
    last = [u for u in units if u and u.droppable][-1]
    masks = [tf.fill((1, 1, 1, 1), float(n)) for n in range(len(taken))]
    x = tf.ones((1, 4, 4, 4))
    plain = last(x, training=True)
    found = last(x, drop_path=masks, training=True)
    factors = iter(masks[last.before :])
    for (_, name), (_, (was,)), (_, (y,)) in zip(last.edges, plain, found):
        factor = 1.0 if name == "skip_connect" else next(factors)
        np.testing.assert_allclose(y, factor * was, rtol=1e-5)


@pytest.mark.parametrize("stride, size", [(1, 7), (2, 4)])
def test_noise_is_standard_normal_and_follows_seed_and_key(stride, size):
    x = tf.fill((64, 7, 7, 5), 9.0)
    y = operations.noise(x, stride, [1, 2], 3)
    assert y.shape == (64, size, size, 5) and y.dtype == x.dtype
    assert abs(np.mean(y)) < 0.05 and abs(np.var(y) - 1) < 0.05
    assert len(np.unique(y)) > 0.99 * tf.size(y).numpy()
    np.testing.assert_array_equal(y, operations.noise(x + 1, stride, [1, 2], 3))
    for seed, key in (([1, 3], 3), ([1, 2], 4)):
        other = operations.noise(x, stride, seed, key)
        assert abs(np.mean(y * other)) < 0.05


def test_noise_of_inference_depends_on_no_other_image():
    few, many = (tf.ones((n, 4, 4, 2)) for n in (2, 5))
    y = operations.noise(many, 1, None, 3)
    np.testing.assert_array_equal(y[:2], operations.noise(few, 1, None, 3))
    np.testing.assert_array_equal(y[0], y[4])
    assert np.abs(y - operations.noise(many, 1, None, 4)).max() > 0.1


@pytest.mark.parametrize("stride", [1, 2])
def test_noise_on_edges_has_its_own_draws_and_passes_no_gradient(stride):
    spec = space_by_name("s4").cells[0]
    mixed = MixedEdges(spec, 0, 4, stride, lambda: BatchNorm(False), key=7)
    weights = tf.constant([[1.0, 0.0]] * 14)
    discrete = DiscreteEdges([(2, "noise"), (3, "noise")], 4, stride, key=7)
    x = tf.random.stateless_normal((2, 6, 6, 4), [1, 2])
    for call in (
        lambda seed: mixed(x, weights, seed=seed),
        lambda seed: discrete(x, seed=seed, training=True),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            first, second, *_ = [y[0] for _, y in call(tf.constant([5, 6]))]
            total = tf.reduce_sum(first + second)
        assert first.shape == (2, 6 // stride, 6 // stride, 4)
        assert np.abs(first - second).max() > 0.1
        again, *_ = [y[0] for _, y in call(tf.constant([5, 6]))]
        other, *_ = [y[0] for _, y in call(tf.constant([5, 7]))]
        np.testing.assert_array_equal(first, again)
        assert np.abs(first - other).max() > 0.1
        gradient = tape.gradient(total, x, unconnected_gradients="zero")
        assert not np.any(gradient)


def test_a_mixed_edge_weighs_its_noise():
    spec = space_by_name("s4").cells[0]
    unit = MixedEdges(spec, 0, 4, 1, lambda: BatchNorm(False))
    x, seed = tf.ones((2, 4, 4, 4)), tf.constant([5, 6])
    weights = tf.Variable([[1.0, 0.0]] * 14)
    ((_, (whole, _)), *_) = unit(x, weights, seed=seed)
    with tf.GradientTape() as tape:
        ((_, (noise, _)), *_) = unit(x, 0.25 * weights, seed=seed)
        total = tf.reduce_sum(noise**2)
    np.testing.assert_allclose(noise, 0.25 * whole)
    gradient = tape.gradient(total, weights)
    np.testing.assert_allclose(gradient[0, 0], 2 * total, rtol=1e-5)
