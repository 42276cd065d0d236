"""The weights of a search, and their steps."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.precision import precision_by_name
from darts_tf.descent.replicas import Replicas
from darts_tf.descent.weights import WeightOptimizerState

SETTINGS = types.SimpleNamespace(momentum=0.9, weight_decay=0.1, clip_norm=5.0)
W = [np.float32([1, -2, 0.5]), np.float32([[3]])]
G = [np.float32([0.5, 1, -1]), np.float32([[2]])]
RATE = tf.constant(0.5)


@pytest.fixture
def weights():
    return built("float32")


def built(precision: str) -> WeightOptimizerState:
    variables = [tf.Variable(w) for w in W]
    return WeightOptimizerState(
        variables,
        SETTINGS,
        precision_by_name(precision),
        Replicas("one_device"),
    )


def test_steps_are_those_of_sgd(weights):
    sgd = SGD(0.9, 0.1, 5.0)
    wanted, slots = W, sgd.slots([tf.constant(w) for w in W])
    for _ in range(3):
        weights.move(weights.read(), G, RATE)
        wanted, slots = sgd.step(wanted, G, slots, 0.5)
    for found, row in zip(weights.read(), wanted, strict=True):
        np.testing.assert_allclose(found, row, rtol=1e-6)
    for found, row in zip(weights.read_slots(), slots, strict=True):
        np.testing.assert_allclose(found, row, rtol=1e-6)


def test_what_was_read_does_not_move(weights):
    before = weights.read()
    weights.move(before, G, RATE)
    np.testing.assert_array_equal(before[0], W[0])
    assert (np.array(weights.read()[0]) != W[0]).all()


def test_a_gradient_that_overflowed_is_left_out_in_float16():
    weights = built("mixed_float16")
    overflowed = [np.float32([np.inf, 0, 0]), G[1]]
    assert float(weights.move(weights.read(), overflowed, RATE)) == 1
    for found, row in zip(weights.read(), W, strict=True):
        np.testing.assert_array_equal(found, row)
    assert float(weights.move(weights.read(), G, RATE)) == 0
    assert (np.array(weights.read()[0]) != W[0]).all()


def test_a_checkpoint_holds_weights_and_memory(weights):
    groups = weights.groups()
    assert groups == {"w": weights.variables, "w_slots": weights.slots}
    assert [v.shape for v in groups["w_slots"]] == [w.shape for w in W]
