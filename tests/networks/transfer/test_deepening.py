"""A deeper network computes what the shallower one does, where it can."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.transfer.deepening import check, has_identity
from darts_tf.networks.transfer.inheritance import from_smaller
from darts_tf.space.architecture_string import from_string
from darts_tf.space.nasbench201 import CANDIDATES
from darts_tf.space.published import CONVOLUTIONAL
from tests.networks.morphisms import assert_same, images, logits, network

NAME = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"
Z, S, C, P = "none", "skip_connect", "nor_conv_3x3", "avg_pool_3x3"
POSSIBLE = {
    "one skip connection": (C, C, C, S, C, C),
    "two in a row": (S, C, Z, C, S, C),
    "three in a row": (S, C, S, C, C, S),
    "pools behind convolutions": (C, Z, P, S, P, C),
}
IMPOSSIBLE = {
    "no path": (C, C, S, C, S, S),
    "two paths": (S, C, C, S, S, C),
    "a pool beside": (S, C, C, S, P, C),
    "a pool alone": (C, C, C, P, C, C),
}


def cell(names):
    return from_string(NAME.format(*names))


@pytest.mark.slow
@pytest.mark.parametrize("name", POSSIBLE)
@pytest.mark.parametrize("layers, wide", [(6, 2), (9, 3)])
def test_new_cells_start_as_the_identity(name, layers, wide):
    genotype = cell(POSSIBLE[name])
    assert has_identity(genotype)
    parent = network(genotype, 2, 3, seed=1)
    child = network(genotype, wide, layers, seed=2)
    assert from_smaller(parent, child)
    assert_same(parent, child, training=False)
    assert_same(parent, child, training=True)


@pytest.mark.slow
def test_cells_keep_their_stages():
    genotype = cell(POSSIBLE["one skip connection"])
    parent, child = (network(genotype, 2, n, seed=n) for n in (6, 9))
    assert from_smaller(parent, child)
    assert_same(parent, child, training=False)


def test_new_cells_learn():
    """Also where a convolution follows another one."""
    genotype = cell(POSSIBLE["one skip connection"])
    parent, child = (network(genotype, 2, n, seed=n) for n in (3, 6))
    from_smaller(parent, child)
    first, *silenced = [unit.operations[-1] for unit in child.cells[1].units]
    assert first is None  # the skip connection
    scales = [chain.layers[-1].gamma.value for chain in silenced]
    assert all(np.all(scale.numpy() == 0) for scale in scales)
    with tf.GradientTape() as tape:
        found = child(images(), training=True)
        value = tf.reduce_sum(found[:, 0])
    for gradient in tape.gradient(value, scales):
        assert np.abs(gradient.numpy()).max() > 1e-3


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_cells_that_cannot_start_anew(name):
    genotype = cell(IMPOSSIBLE[name])
    parent, child = (network(genotype, 2, n, seed=n) for n in (3, 6))
    before = [w.numpy() for w in child.cells[1].weights]
    assert not from_smaller(parent, child)
    for mine, theirs in zip(child.cells[2].weights, parent.cells[1].weights):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    for mine, theirs in zip(child.cells[1].weights, before):
        np.testing.assert_array_equal(mine.numpy(), theirs)
    difference = logits(parent, False)[0] - logits(child, False)[0]
    assert np.abs(difference).max() > 1e-3


def test_how_many_cells_can():
    every = itertools.product(CANDIDATES, repeat=6)
    assert sum(has_identity(cell(names)) for names in every) == 2718


def test_darts_cells_cannot():
    genotype = CONVOLUTIONAL["DARTS_V2"]
    parent, child = (network(genotype, 2, n) for n in (3, 4))
    words = "darts_conv a .* of 4 cells cannot start as one of 3, .* give"
    with pytest.raises(InputError, match=words + " `layers=3`"):
        from_smaller(parent, child)
    for space in ("s1", "s4", "darts_conv_nonzero"):
        check(space, 8, 8)
        with pytest.raises(InputError, match=f"{space} .*ReLUs"):
            check(space, 8, 9)


def test_a_shallower_child_is_refused():
    with pytest.raises(InputError, match="at least `layers=6`"):
        check("nasbench201", 6, 3)
