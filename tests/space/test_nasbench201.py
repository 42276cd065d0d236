from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import CANDIDATES, SPACE, cells_a_stage
from darts_tf.space.registry import space_by_name


def test_the_benchmarks_cell():
    (spec,) = SPACE.cells
    assert space_by_name("nasbench201") is SPACE
    assert spec.edges == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert spec.alpha_shape == (6, 5) and spec.concat == (3,)
    assert CANDIDATES == (
        "none",
        "skip_connect",
        "nor_conv_1x1",
        "nor_conv_3x3",
        "avg_pool_3x3",
    )


def test_stages():
    assert [cells_a_stage(layers) for layers in (3, 6, 15)] == [1, 2, 5]
    for layers in (0, 1, 4, -3):
        with pytest.raises(InputError, match="multiple of 3"):
            cells_a_stage(layers)


@pytest.mark.parametrize("edges, concat", [(3, 2), (10, 4), (6, 2), (0, 3)])
def test_only_operations_are_free(edges, concat):
    every = tuple(("none", source) for node in (1, 2, 3, 4) for source in range(node))
    Genotype("nasbench201", {"cell": CellGenotype(every[:6], (3,))})
    other = CellGenotype(every[:edges], (concat,))
    with pytest.raises(InputError, match="6 edges and the concat"):
        Genotype("nasbench201", {"cell": other})
