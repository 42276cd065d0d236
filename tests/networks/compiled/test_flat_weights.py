"""Weights in a row are the same weights."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from darts_tf.networks.compiled.flat_weights import (
    FlatWeights,
    arrays_of,
    pieces,
    row_of,
)


def model():
    net = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    net(tf.zeros((1, 4)))
    return net


def test_what_is_packed_comes_apart_again():
    net = model()
    row = FlatWeights(net)
    packed = row.packed()
    assert packed.shape == (4 * 3 + 3 + 3 * 2 + 2,)
    parts = row.unpack([packed])
    for part, variable in zip(parts, net.trainable_variables, strict=True):
        np.testing.assert_array_equal(part, variable)


def test_outside_of_graphs_too():
    net = model()
    row = FlatWeights(net)
    packed = row.packed().numpy()
    arrays = arrays_of(packed, row.shapes)
    np.testing.assert_array_equal(row_of(arrays), packed)
    assert [a.shape for a in arrays] == row.shapes
    for array, variable in zip(arrays, net.trainable_variables, strict=True):
        np.testing.assert_array_equal(array, variable)


def test_a_loss_of_the_row_has_the_gradient_of_the_list():
    net = model()
    row, w = FlatWeights(net), [tf.constant(v) for v in net.trainable_variables]

    def loss(w, factor):
        # The second weight is not used: its gradient is zero.
        return factor * (tf.reduce_sum(w[0] ** 3) + tf.reduce_sum(w[2] ** 2))

    packed = row.packed()
    with tf.GradientTape() as tape:
        tape.watch(packed)
        value = row.loss(loss)([packed], 2.0)
    found = row.unpack([tape.gradient(value, packed)])
    with tf.GradientTape() as tape:
        tape.watch(w)
        value = loss(w, 2.0)
    wanted = tape.gradient(value, w, unconnected_gradients="zero")
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_only_neighbours_are_one_piece():
    a, b, c, d = (keras.Variable(float(n)) for n in range(4))
    assert pieces([a, b, c, d], [[b, c], []]) == [range(0, 1), range(1, 3), range(3, 4)]
    apart = [range(n, n + 1) for n in range(4)]
    assert pieces([a, b, c, d], [[a, c]]) == apart
    assert pieces([a, b, c, d], [[c, b]]) == apart
