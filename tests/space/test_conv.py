from __future__ import annotations

import pytest

from darts_tf.space.conv import SPACE, reduction_layers


def test_cells_are_those_of_the_paper():
    assert [spec.name for spec in SPACE.cells] == ["normal", "reduce"]
    for spec in SPACE.cells:
        assert (spec.inputs, spec.nodes, spec.predecessors) == (2, 4, 2)
        assert spec.alpha_shape == (14, 8)
        assert spec.concat == (2, 3, 4, 5)


def test_columns_are_in_the_order_of_the_authors():
    assert SPACE.cell("normal").candidates[0] == (
        "none",
        "max_pool_3x3",
        "avg_pool_3x3",
        "skip_connect",
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
    )


@pytest.mark.parametrize(
    "layers, expected",
    [(3, (1, 2)), (5, (1, 3)), (8, (2, 5)), (14, (4, 9)), (20, (6, 13))],
)
def test_reduction_layers(layers, expected):
    assert tuple(reduction_layers(layers)) == expected
