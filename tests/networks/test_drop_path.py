"""Drop path zeroes whole samples and keeps the expectation."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import nasbench201
from darts_tf.networks.conv import EvaluationNetwork
from darts_tf.networks.derived import separate
from darts_tf.networks.drop_path import dropped, edge_arguments, scales
from darts_tf.space.published import CONVOLUTIONAL, load_genotype

NASBENCH201 = (
    "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
)
NETWORKS = {
    "darts_conv": lambda: EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 2, 3, 3),
    "nasbench201": lambda: nasbench201.EvaluationNetwork(
        load_genotype(NASBENCH201, "nasbench201"), 2, 3, 3
    ),
}


def test_samples_are_dropped_as_a_whole_and_others_rescaled():
    (scale,) = scales(tf.constant(0.25), [1, 2], 1, 64)
    y = dropped(tf.ones((64, 2, 2, 3)), scale).numpy()
    per_sample = y.reshape(64, -1)
    assert (per_sample == per_sample[:, :1]).all()
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)


def test_the_share_that_is_dropped():
    found = np.stack(scales(tf.constant(0.3), [1, 2], 40, 64))
    assert np.mean(found == 0) == pytest.approx(0.3, abs=0.03)
    assert len(np.unique(found, axis=0)) == 40
    assert (scales(tf.constant(0.0), [1, 2], 1, 64)[0] == 1).numpy().all()


def test_masks_follow_the_seed():
    one, again, other = (
        scales(0.5, seed, 1, 64)[0] for seed in ([1, 2], [1, 2], [1, 3])
    )
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)


def test_no_gradient_reaches_the_probability():
    p, x = tf.constant(0.5), tf.ones((8, 1, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch([p, x])
        (scale,) = scales(p, [1, 2], 1, 8)
        y = dropped(x, scale)
    by_p, by_x = tape.gradient(y, [p, x])
    assert by_p is None
    np.testing.assert_array_equal(by_x, scale)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_draws_a_mask_for_each_edge_that_it_drops(network):
    net = NETWORKS[network]()
    net.build((None, 8, 8, 1))
    images = tf.ones((2, 8, 8, 1))
    for arguments, cell in zip(
        edge_arguments(net.cells, tf.constant(0.5), [1, 2], images, True),
        net.cells,
    ):
        units = [unit for unit in cell.units if unit]
        every = sum(unit.droppable for unit in units)
        assert len(arguments["drop_path"]) == every > 1
        assert units[-1].before + units[-1].droppable == every
    seed = tf.constant([1, 2])
    logits = [
        separate(net(images, drop_path=tf.constant(p), seed=seed, training=True))[0]
        for p in (0.0, 0.9)
    ]
    plain = separate(net(images, seed=seed, training=True))[0]
    np.testing.assert_allclose(logits[0], plain, rtol=1e-5, atol=1e-6)
    assert np.abs(logits[1] - plain).max() > 1e-3


def test_without_a_probability_there_is_none():
    found = edge_arguments([None, None], None, [1, 2], None, True)
    assert found == [{"seed": [1, 2]}] * 2
    assert edge_arguments([None], 0.5, [1, 2], None, False) == [{}]
