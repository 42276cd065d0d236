"""The networks around the cells."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.cell import add
from darts_tf.networks.conv import (
    EvaluationNetwork,
    MobileNetwork,
    Supernet,
)
from darts_tf.space import conv
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.strategy.darts import relaxation

V2 = CONVOLUTIONAL["DARTS_V2"]


def test_mobile_network_needs_even_channels():
    with pytest.raises(InputError, match="even"):
        MobileNetwork(V2, 3, 3, 10)


@pytest.mark.slow
def test_each_cell_has_its_own_mixing_weights():
    model = Supernet(conv.SPACE, 2, 4, 3)
    alpha = [tf.constant(a) for a in relaxation.initial_alpha(conv.SPACE, 0)]
    images = tf.random.stateless_normal((4, 8, 8, 3), [1, 2])
    weights = relaxation.mixing_weights(alpha)
    cells = relaxation.per_cell(weights, conv.SPACE, model.kinds)
    assert model.kinds == ("normal", "reduce", "reduce", "normal")
    with tf.GradientTape() as tape:
        tape.watch(cells)
        loss = tf.reduce_sum(model(images, cells, training=True) ** 2)
    first, *_, last = tape.gradient(loss, cells)
    assert np.abs(first - last).max() > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 8, 28, 33])
@pytest.mark.parametrize("name", ["DARTS_V2", "NASNet", "AmoebaNet"])
def test_any_image_size_and_published_cell(size, name):
    model = EvaluationNetwork(CONVOLUTIONAL[name], 2, 3, 7)
    images = tf.zeros((2, size, size, 1))
    logits, auxiliary = model(images, training=True)
    assert logits.shape == auxiliary.shape == (2, 7)
    assert model(images).shape == (2, 7)


def test_too_small_for_the_auxiliary_head():
    with pytest.raises(InputError, match="auxiliary_weight=0"):
        EvaluationNetwork(V2, 2, 3, 7)(tf.zeros((1, 4, 4, 1)), training=True)


def test_add_of_one_and_of_many():
    one = tf.ones(2)
    assert add([one]) is one
    np.testing.assert_array_equal(add([one, one, one]), [3, 3])
