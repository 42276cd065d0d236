"""The fast mixed edges: work that edges share, and work of each edge."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import pools
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.mixed_edges import EdgeOperations, NodeOperations
from darts_tf.networks.compiled.weighted_sum import as_map

NORM = functools.partial(BatchNorm, False, momentum=0.0)
POOLS = ("avg_pool_3x3", "max_pool_3x3")


def image(side: int):
    return tf.random.stateless_normal((3, side, side, 2), [1, side])


@pytest.mark.parametrize(
    "side, skipping, read",
    [
        (6, True, True),
        (6, False, False),
        (5, True, False),
    ],
)
def test_a_nodes_relu_phases_and_normalised_pools(side, skipping, read):
    x = image(side)
    layer = NodeOperations(POOLS, True, 2, 1, skipping, NORM)
    given = [pools.POOLS[name](x, 1) for name in POOLS]
    activated, phases, maps = layer(x, given, training=True)
    np.testing.assert_array_equal(activated, np.maximum(x, 0))
    assert (phases is not None) == read
    if read:
        even = phases[0][:3]
        np.testing.assert_array_equal(even, activated[:, ::2, ::2])
    assert list(layer.norms) == list(POOLS)
    assert layer.maps == [*POOLS, "skip_connect"] and len(maps) == 3
    np.testing.assert_array_equal(as_map(maps[2], x), x)
    for pool, row in zip(given, maps[:2], strict=True):
        found = as_map(row, pool)
        wanted = (pool - np.mean(pool, (0, 1, 2))) / np.std(pool, (0, 1, 2))
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(np.mean(found, (0, 1, 2)), 0, atol=1e-5)
        np.testing.assert_allclose(np.var(found, (0, 1, 2)), 1, rtol=1e-3)


def test_without_maps_a_node_gives_its_relu_only():
    layer = NodeOperations((), False, 2, 1, False, NORM)
    _, phases, maps = layer(image(6), [], training=True)
    assert phases is None and maps is None


def test_an_edge_is_the_sum_of_its_operations_times_their_weights():
    x = tf.nn.relu(image(5))
    layer = EdgeOperations({"sep_conv_3x3": 2, "dil_conv_3x3": 0}, 2, 1, NORM)
    weights = tf.constant([0.5, 7.0, 2.0])
    found = layer(x, None, None, weights, training=True)
    separable, dilated = (c(x, training=True) for c in layer.chains)
    wanted = 2.0 * separable + 0.5 * dilated
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    shared = image(5)
    row = tf.reshape(shared, [-1])
    found = layer(x, None, row, weights, training=True)
    np.testing.assert_allclose(found, wanted + shared, rtol=1e-5, atol=1e-6)


def test_keys_tell_apart_what_may_not_share_a_trace():
    edges = [
        EdgeOperations(columns, channels, stride, NORM).key
        for columns, channels, stride in [
            ({"sep_conv_3x3": 0}, 2, 1),
            ({"sep_conv_3x3": 1}, 2, 1),
            ({"sep_conv_5x5": 0}, 2, 1),
            ({"sep_conv_3x3": 0}, 4, 1),
            ({"sep_conv_3x3": 0}, 2, 2),
        ]
    ]
    assert len(set(edges)) == len(edges)
    nodes = [
        NodeOperations(pools, identity, channels, stride, dilated, NORM).key
        for pools, identity, channels, stride, dilated in [
            (POOLS, True, 2, 1, True),
            (POOLS[:1], True, 2, 1, True),
            (POOLS, False, 2, 1, True),
            (POOLS, True, 4, 1, True),
            (POOLS, True, 2, 2, True),
            (POOLS, True, 2, 1, False),
        ]
    ]
    assert len(set(nodes)) == len(nodes)
