"""What differs between search and evaluation."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.edges import DiscreteEdges, MixedEdges, drop
from darts_tf.space.conv import CANDIDATES, SPACE


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
    np.testing.assert_allclose(
        total(unit, x, tf.constant(weights)), parts, atol=1e-5
    )


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


def test_drop_path_scales_samples_and_spares_the_identity():
    x = tf.ones((64, 2, 2, 3))
    y = drop(x, tf.constant(0.25), [1, 2]).numpy()
    per_sample = y.reshape(64, -1)
    assert (per_sample == per_sample[:, :1]).all()
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)
    unit = DiscreteEdges([(2, "skip_connect"), (3, "max_pool_3x3")], 3, 1, 0)
    arguments = dict(drop_path=tf.constant(0.5), seed=tf.constant([1, 2]))
    (_, (kept,)), (_, (dropped,)) = unit(x, **arguments, training=True)
    np.testing.assert_array_equal(kept, x)
    assert (dropped.numpy() == 0).any()


def test_strided_identity_is_dropped():
    unit = DiscreteEdges([(2, "skip_connect")], 4, 2, 0)
    x = tf.random.stateless_normal((64, 4, 4, 4), [1, 2])
    arguments = dict(drop_path=tf.constant(0.5), seed=tf.constant([1, 2]))
    ((_, (y,)),) = unit(x, **arguments, training=True)
    gone = np.abs(y.numpy()).reshape(64, -1).max(-1) == 0
    assert 10 < gone.sum() < 54


def test_masks_follow_the_seed():
    x = tf.ones((64, 1, 1, 1))
    first, again = (drop(x, 0.5, [1, 2]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != drop(x, 0.5, [1, 3])).numpy().any()
