"""Convolutions of the edges that leave a node, computed as one.

The cell of them is held against numpy in test_nasbench201.py.
"""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operations, pools
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.space import conv
from darts_tf.space.nasbench201 import SPACE


def test_packed_edges_need_equal_candidates():
    spec = conv.SPACE.cells[0]
    other = ("none", "nor_conv_1x1")
    mixed = type(spec)(
        "cell", 1, 2, (other, other, ("none", "nor_conv_3x3")), None, (2,)
    )
    with pytest.raises(InputError, match="same candidates"):
        PackedEdges(mixed, 0, 4, lambda: BatchNorm(False))
    registered = type(spec)("cell", 1, 2, (("none", "ghost"),) * 3, None, (2,))
    with pytest.raises(InputError, match="'ghost' cannot be packed.*`cell_space`"):
        PackedEdges(registered, 0, 4, lambda: BatchNorm(False))


def test_each_edge_gets_what_it_would_compute_alone():
    spec, channels = SPACE.cells[0], 2
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
                alone.layers[0].kernel.assign(tf.split(whole, 3, axis=-1)[place])
                y = alone(tf.nn.relu(x), training=True)
            else:
                y = x if name == "skip_connect" else pools.POOLS[name](x, 1)
            wanted += weight * y
        total = tf.add_n(found[place][1])
        np.testing.assert_allclose(total, wanted, rtol=1e-4, atol=1e-5)
