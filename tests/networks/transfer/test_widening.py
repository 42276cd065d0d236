"""A wider network computes what the narrower one does."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import conv
from darts_tf.networks.transfer.inheritance import from_smaller
from darts_tf.networks.transfer.widening import copies
from darts_tf.space.architecture_string import from_string
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL
from tests.networks.morphisms import assert_same, images, logits, network

CELL = from_string(
    "|nor_conv_1x1~0|+|skip_connect~0|none~1|+"
    "|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_1x1~2|"
)
ALL = (
    ("sep_conv_3x3", 0),
    ("dil_conv_5x5", 1),
    ("skip_connect", 0),
    ("max_pool_3x3", 1),
    ("skip_connect", 1),
    ("sep_conv_5x5", 3),
    ("avg_pool_3x3", 0),
    ("skip_connect", 4),
)


def cells(edges, space="darts_conv") -> Genotype:
    cell = CellGenotype(tuple(edges), (2, 3, 4, 5))
    return Genotype(space, {"normal": cell, "reduce": cell})


@pytest.mark.parametrize(
    "narrow, wide", [(1, 3), (2, 2), (2, 5), (3, 4), (3, 8), (16, 36)]
)
def test_halves_are_copied_among_themselves(narrow, wide):
    of = copies(narrow, wide)
    assert of.shape == (wide,) and {*of} == {*range(narrow)}
    if narrow > 1:
        first = np.arange(wide) < wide // 2
        np.testing.assert_array_equal(of < narrow // 2, first)


@pytest.mark.slow
@pytest.mark.parametrize(
    "genotype, narrow, wide",
    [
        (CELL, 1, 2),
        (CELL, 2, 3),
        (CELL, 3, 7),
        (cells(ALL), 1, 3),
        (cells(ALL), 2, 3),
        (cells(ALL), 3, 6),
        (CONVOLUTIONAL["NASNet"], 2, 4),
    ],
)
def test_the_function_is_kept(genotype, narrow, wide):
    parent = network(genotype, narrow, seed=1)
    child = network(genotype, wide, seed=2)
    difference = logits(parent, False)[0] - logits(child, False)[0]
    assert np.abs(difference).max() > 0.05
    assert from_smaller(parent, child)
    assert_same(parent, child, training=False)
    assert_same(parent, child, training=True)


@pytest.mark.slow
def test_the_mobile_network_without_an_auxiliary_head():
    parent, child = (
        network(
            cells(ALL),
            channels,
            seed=channels,
            size=32,
            kind=conv.MobileNetwork,
            auxiliary=False,
        )
        for channels in (2, 4)
    )
    assert from_smaller(parent, child)
    assert_same(parent, child, training=False, size=32)


@pytest.mark.slow
def test_noise_is_another_one_in_another_width():
    edges = [("noise", 0), *(("sep_conv_3x3", n % 2) for n in range(1, 8))]
    genotype = cells(edges, "s4")
    parent = network(genotype, 2, seed=1)
    assert not from_smaller(parent, network(genotype, 3, seed=2))
    assert from_smaller(parent, network(genotype, 2, seed=3))


def test_copies_of_a_channel_learn_apart():
    parent, child = (network(CELL, n, seed=n) for n in (2, 4))
    from_smaller(parent, child)
    kernel = child.stem.layers[0].kernel
    one, other = np.flatnonzero(copies(2, 4) == 0)
    with tf.GradientTape() as tape:
        found = child(images(), training=True)
        value = tf.reduce_sum(found[:, 0])
    gradient = tape.gradient(value, kernel.value).numpy()
    same = kernel.numpy()
    np.testing.assert_array_equal(same[..., one], same[..., other])
    difference = np.abs(gradient[..., one] - gradient[..., other])
    assert difference.max() > 0.01 * np.abs(gradient).max()


@pytest.mark.slow
@pytest.mark.parametrize("genotype", [CELL, cells(ALL)])
def test_a_narrower_child_is_refused(genotype):
    parent, child = (network(genotype, n) for n in (3, 2))
    with pytest.raises(InputError, match="at least as many `channels`"):
        from_smaller(parent, child)
