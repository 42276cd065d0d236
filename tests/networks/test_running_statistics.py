"""Running statistics in a row are those that batch norm keeps by itself."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.compiled import functional_call
from darts_tf.networks.compiled.flat_weights import (
    FlatWeights,
    SlicedWeights,
    arrays_of,
    row_of,
)
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.networks.running_statistics import RunningStatistics
from darts_tf.space.published import CONVOLUTIONAL


@pytest.fixture
def net():
    keras.utils.set_random_seed(0)
    model = EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3)
    model.build((None, 8, 8, 1))
    return model


def image_batch(seed: int):
    return tf.random.stateless_normal((4, 8, 8, 1), [seed, 0]) + seed


def test_they_follow_batches_as_batch_norm_does(net):
    statistics = RunningStatistics(net, Replicas("one_device"))
    layout = FlatWeights(net)
    w = SlicedWeights(layout, layout.packed())
    wanted = [v.value for v in net.non_trainable_variables]
    before = [v.numpy() for v in wanted]
    for seed in (1, 2):
        _, seen = functional_call.call(net, w, image_batch(seed), training=True)
        statistics.follow(seen)
        _, wanted = net.stateless_call(
            [v.value for v in net.trainable_variables],
            wanted,
            image_batch(seed),
            training=True,
        )
    assert len(wanted) == len(statistics.parts()) == len(statistics.shapes)
    for ours, theirs, was in zip(statistics.parts(), wanted, before):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
        assert np.abs(ours - was).max() > 0
    for variable, was in zip(net.non_trainable_variables, before):
        np.testing.assert_array_equal(variable, was)


@pytest.mark.slow
def test_arrays_come_back(net):
    statistics = RunningStatistics(net, Replicas("one_device"))
    rng = np.random.default_rng(0)
    row = rng.standard_normal(statistics.row.shape).astype(np.float32)
    statistics.row.assign(row)
    arrays = arrays_of(row, statistics.shapes)
    assert [a.shape for a in arrays] == statistics.shapes
    statistics.row.assign(0 * row)
    statistics.row.assign(row_of(arrays))
    np.testing.assert_array_equal(statistics.row, row)


def test_they_start_from_the_model_again(net):
    statistics = RunningStatistics(net, Replicas("one_device"))
    statistics.row.assign(0 * statistics.row)
    net.non_trainable_variables[0].assign([3.0] * 6)
    statistics.start()
    np.testing.assert_array_equal(statistics.parts()[0], [3.0] * 6)
    np.testing.assert_array_equal(statistics.parts()[1], np.ones(6))
