from __future__ import annotations

import numpy as np

from darts_tf.space.cell import CellSpec
from darts_tf.space.conv import SPACE
from darts_tf.space.genotype import CellGenotype
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.strategy.darts.derivation import derive_cell, softmax
from darts_tf.strategy.darts.discretisation import derived_weights

SPEC = SPACE.cell("normal")
RNG = np.random.default_rng(0)


def test_by_hand():
    names = ("none", "skip_connect", "sep_conv_3x3")
    spec = CellSpec("tiny", 2, 2, (names,) * 5, 2, (2, 3))
    cell = CellGenotype(
        (
            ("sep_conv_3x3", 1),
            ("skip_connect", 0),
            ("sep_conv_3x3", 2),
            ("sep_conv_3x3", 0),
        ),
        (2, 3),
    )
    assert derived_weights(spec, cell).tolist() == [
        [0, 1, 0],
        [0, 0, 1],  # into node 2: from 0, from 1
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 1],
    ]


def test_one_operation_on_each_kept_edge():
    weights = derived_weights(SPEC, CONVOLUTIONAL["DARTS_V2"].cells["normal"])
    assert weights.shape == SPEC.alpha_shape
    assert sorted(weights.sum(-1)) == [0] * 6 + [1] * 8


def test_kept_are_the_strongest_operations_of_random_alpha():
    """Deriving from the derived weights gives the same cell again."""
    for _ in range(20):
        weights = softmax(RNG.standard_normal(SPEC.alpha_shape))
        cell = derive_cell(SPEC, weights)
        kept = derived_weights(SPEC, cell)
        assert set(derive_cell(SPEC, kept).edges) == set(cell.edges)
        assert derive_cell(SPEC, kept * weights).edges == cell.edges


def test_zero_may_be_kept_where_a_space_says_so():
    names = ("none", "skip_connect")
    spec = CellSpec("cell", 1, 2, (names,) * 3, None, (2,), zero_kept=True)
    cell = CellGenotype((("none", 0), ("skip_connect", 0), ("none", 1)), (2,))
    assert derived_weights(spec, cell).tolist() == [[1, 0], [0, 1], [1, 0]]
