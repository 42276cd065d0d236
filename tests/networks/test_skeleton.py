"""The skeleton that all networks of convolutional cells share."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import nasbench201
from darts_tf.networks.cell import Cell
from darts_tf.networks.conv import (
    EvaluationNetwork,
    MobileNetwork,
    Supernet,
)
from darts_tf.networks.skeleton import STEM_MULTIPLIER
from darts_tf.space import conv
from darts_tf.space.architecture_string import from_string
from darts_tf.space.published import CONVOLUTIONAL

V2 = CONVOLUTIONAL["DARTS_V2"]
NB201 = "+".join(
    "|" + "".join(f"nor_conv_3x3~{source}|" for source in range(node))
    for node in (1, 2, 3)
)
NETWORKS = {
    "evaluation": lambda: EvaluationNetwork(V2, 4, 5, 10),
    "mobile": lambda: MobileNetwork(V2, 4, 5, 10),
    "nasbench201": lambda: nasbench201.EvaluationNetwork(from_string(NB201), 4, 6, 10),
}


@pytest.mark.parametrize(
    "channels, layers, classes, word",
    [(0, 8, 10, "channels"), (4, 2, 10, "layers"), (4, 3, 1, "classes")],
)
def test_impossible_sizes(channels, layers, classes, word):
    for build in (
        lambda: Supernet(conv.SPACE, channels, layers, classes),
        lambda: EvaluationNetwork(V2, channels, layers, classes),
    ):
        with pytest.raises(InputError, match=word):
            build()


def test_reductions_stand_at_a_third_and_two_thirds_and_double_the_channels():
    model = EvaluationNetwork(V2, 4, 8, 10, auxiliary=False)
    assert [n for n, k in enumerate(model.kinds) if k == "reduce"] == [2, 5]
    widths = [cell.inputs_to_states[1].layers[0].channels for cell in model.cells]
    assert widths == [4, 4, 8, 8, 8, 16, 16, 16]
    assert model.stems[0].layers[0].channels == STEM_MULTIPLIER * 4


@pytest.mark.parametrize("name", NETWORKS)
def test_building_creates_all_that_a_call_reads_and_computes_nothing(name):
    model = NETWORKS[name]()
    model.build((None, 67, 64, 3))
    built = len(model.variables)
    for variable in model.non_trainable_variables:
        start = float(variable.name == "moving_variance")
        np.testing.assert_array_equal(variable.value, start)
    model(tf.zeros((2, 67, 64, 3)), training=True)
    assert len(model.variables) == built


def test_cells_foretell_the_shape_of_what_they_give(monkeypatch):
    foretold, given = [], []
    shape, call = Cell.compute_output_shape, Cell.call

    def told(cell, shapes):
        foretold.append(shape(cell, shapes))
        return foretold[-1]

    def called(cell, inputs, **arguments):
        given.append(call(cell, inputs, **arguments))
        return given[-1]

    monkeypatch.setattr(Cell, "compute_output_shape", told)
    monkeypatch.setattr(Cell, "call", called)
    model = EvaluationNetwork(V2, 4, 5, 10)
    model(tf.zeros((2, 35, 32, 3)))
    assert len(given) == 5
    assert foretold == [(2, *y.shape[1:]) for y in given]


def test_a_cell_that_was_called_before_keeps_its_weights():
    model = EvaluationNetwork(V2, 4, 5, 10, auxiliary=False)
    x = tf.zeros((1, 8, 8, 12))
    model.cells[0]([x, x])
    before = model.cells[0].trainable_variables
    model.build((None, 8, 8, 3))
    after = model.cells[0].trainable_variables
    assert [id(v) for v in after] == [id(v) for v in before]
    assert len(before) > 0
