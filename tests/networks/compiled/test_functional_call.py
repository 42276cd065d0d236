"""A call with weights in a row is the call with the list of them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.compiled import functional_call
from darts_tf.networks.compiled.flat_weights import FlatWeights, SlicedWeights
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import relaxation
from tests.strategy.small_space import SMALL


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(0)
    model = Supernet(SMALL, 2, 3, 3)
    model(tf.zeros((1, 8, 8, 1)), cells(model))
    return model


def cells(model):
    alpha = [tf.random.stateless_normal(s.alpha_shape, [1, 2]) for s in SMALL.cells]
    return relaxation.cells_of(alpha, SMALL, model.kinds)


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [True, False])
def test_outputs_states_and_gradients(net, compiled):
    layout, x = FlatWeights(net), tf.random.stateless_normal((4, 8, 8, 1), [3, 4])
    before = [v.numpy() for v in net.non_trainable_variables]
    w = [0.9 * v.value for v in net.trainable_variables]
    row = tf.concat([tf.reshape(v, [-1]) for v in w], 0)

    def derived(weights, given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            logits, states = functional_call.call(
                net, weights(), x, cells(net), training=True
            )
            loss = tf.reduce_sum(tf.nn.log_softmax(logits)[:, 0])
        return logits, states, tape.gradient(loss, given)

    of_row = lambda: derived(lambda: SlicedWeights(layout, row), row)  # noqa: E731
    of_list = lambda: derived(lambda: w, w)  # noqa: E731
    if compiled:
        of_row, of_list = tf.function(of_row), tf.function(of_list)
    (*found, slope), (*wanted, slopes) = of_row(), of_list()
    slopes = tf.concat([tf.reshape(g, [-1]) for g in slopes], 0)
    for ours, theirs in zip([*found, slope], [*wanted, slopes]):
        size = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=2e-4 * size)
    # Means and variances of all norms, in order, and no variable has moved.
    assert found[1].shape == (sum(v.size for v in before),)
    for was, now in zip(before, net.non_trainable_variables):
        np.testing.assert_array_equal(was, now)
    assert functional_call.present() is None


def test_a_shared_layer_is_one_piece_and_most_weights_are_in_one(net):
    layout = FlatWeights(net)
    assert sorted(n for p in layout.pieces for n in p) == [*range(len(layout))]
    shared = [p for p in layout.pieces if len(p) > 1]
    assert len(shared) == sum(
        len(layer.trainable_variables) > 1 for layer in net.shared_layers
    )
    assert sum(map(len, shared)) > len(layout) / 2


def test_weights_are_cut_only_where_they_are_read(net):
    """A piece that a shared trace takes whole is not cut."""
    layout = FlatWeights(net)
    row = layout.packed()

    def cuts():
        weights = SlicedWeights(layout, row)
        functional_call.call(
            net, weights, tf.zeros((1, 8, 8, 1)), cells(net), training=True
        )
        return len(weights._known)

    known = []
    tf.function(lambda: known.append(cuts())).get_concrete_function()
    assert known == [sum(len(p) == 1 for p in layout.pieces)]
