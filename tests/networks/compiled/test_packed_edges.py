"""Convolutions of the edges that leave a node, computed as one.

The cell of them is held against numpy in test_nasbench201.py.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations, pools
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.space import conv
from darts_tf.space.nasbench201 import SPACE

MIXED = (
    ("none", "nor_conv_1x1", "avg_pool_3x3"),
    ("skip_connect", "nor_conv_3x3", "nor_conv_1x1"),
    ("none", "skip_connect", "avg_pool_3x3"),
    ("nor_conv_3x3", "none", "skip_connect"),
    ("none", "nor_conv_3x3", "avg_pool_3x3"),
    ("none", "nor_conv_1x1", "skip_connect"),
)
"""Candidates of six edges as after a stage (strategy/darts/staged_search.py)."""


def test_registered_operations_cannot_be_packed():
    spec = conv.SPACE.cells[0]
    registered = type(spec)("cell", 1, 2, (("none", "ghost"),) * 3, None, (2,))
    with pytest.raises(InputError, match="'ghost' cannot be packed.*`cell_space`"):
        PackedEdges(registered, 0, 4, lambda: BatchNorm(False))


@pytest.mark.parametrize("candidates", [SPACE.cells[0].candidates, MIXED])
def test_each_edge_gets_what_it_would_compute_alone(candidates):
    spec = dataclasses.replace(SPACE.cells[0], candidates=candidates)
    channels = 2
    packed = PackedEdges(spec, 0, channels, lambda: BatchNorm(False))
    x = tf.random.stateless_normal((3, 5, 4, channels), [1, 2])
    weights = np.random.default_rng(0).random((6, 5)).astype(np.float32)
    found = packed(x, tf.constant(weights), training=True)
    assert [target for target, _ in found] == [1, 2, 3]
    for place, (row, _) in enumerate(spec.outgoing(0)):
        wanted = 0.0
        for name, weight in zip(spec.candidates[row], weights[row]):
            if name == "none":
                continue
            if name in packed.convolutions:
                alone = operations.build(name, channels, 1, lambda: BatchNorm(False))
                alone(tf.nn.relu(x))
                whole = packed.convolutions[name].layers[0].kernel
                users = packed.users[name]
                parts = tf.split(whole, len(users), axis=-1)
                alone.layers[0].kernel.assign(parts[users.index(place)])
                y = alone(tf.nn.relu(x), training=True)
            else:
                y = x if name == "skip_connect" else pools.POOLS[name](x, 1)
            wanted += weight * y
        total = tf.add_n(found[place][1])
        np.testing.assert_allclose(total, wanted, rtol=1e-4, atol=1e-5)
