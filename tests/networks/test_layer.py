"""Layers quickly made, whose variables share a name and nothing else."""

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.conv import Supernet
from darts_tf.networks.convolutions import Conv, DepthwiseConv
from darts_tf.networks.layer import Layer
from darts_tf.strategy.darts import relaxation
from tests.strategy.small_space import SMALL


@pytest.mark.parametrize("make", [lambda: Conv(3, (3, 3)), lambda: DepthwiseConv(3)])
def test_equal_names_and_own_values(make):
    layers = make(), make()
    for layer in layers:
        layer(tf.ones((1, 4, 4, 3)))
    first, second = (layer.kernel for layer in layers)
    assert first.value.name == second.value.name
    assert first.path != second.path
    before = np.array(second)
    assert np.abs(np.array(first) - before).max() > 0.01
    first.assign(tf.zeros(first.shape))
    np.testing.assert_array_equal(np.array(second), before)


def test_a_supernet_has_few_names_and_many_paths():
    model = Supernet(SMALL, 2, 3, 3)
    alpha = [tf.constant(a) for a in relaxation.initial_alpha(SMALL, 0)]
    cells = relaxation.per_cell(alpha, SMALL, model.kinds)
    model(tf.zeros((1, 8, 8, 3)), cells)
    assert len({v.path for v in model.variables}) == len(model.variables)
    assert len({v.value.name for v in model.variables}) < 10


class Pair(Layer):
    """Plain attributes beside a layer and a variable."""

    def __init__(self):
        super().__init__()
        self.size, self.shape = 3, (1, 2)
        self.inner = Conv(2)
        self.later = None
        self.more = (Conv(2),)

    def build(self, shape):
        self.scale = self.add_weight((), "ones")
        self.inner.build(shape)
        self.later = Conv(2)
        self.later.build(shape)
        self.more[0].build(shape)


def test_plain_attributes_are_there_and_layers_and_variables_are_kept():
    pair = Pair()
    pair.build((1, 4, 4, 2))
    assert (pair.size, pair.shape) == (3, (1, 2))
    kept = [pair.inner, pair.more[0], pair.later]
    variables = [pair.scale, *(layer.kernel for layer in kept)]
    assert {v.path for v in pair.variables} == {v.path for v in variables}
    pair.trainable = False
    assert pair.trainable_variables == []
