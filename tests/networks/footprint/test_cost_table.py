"""Tables of costs: sums over kept edges, and their bounds by hand. No TensorFlow."""

from __future__ import annotations

import numpy as np

from darts_tf.networks.footprint.cost_table import CostTable, derivable, rows_by_node
from darts_tf.space import nasbench201
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype

CELL = CellSpec(
    "normal", 2, 2, (("none", "skip_connect", "sep_conv_3x3"),) * 5, 2, (2, 3)
)
SPACE = SearchSpace("darts_conv", (CELL,), ("skip_connect", "sep_conv_3x3"))
COSTS = np.array([[0, 1, 10], [0, 2, 20], [0, 3, 30], [0, 4, 40], [0, 5, 50]])
TABLE = CostTable("parameters", SPACE, 1000, {"normal": COSTS})


def test_the_cost_of_a_genotype_is_the_sum_of_its_edges():
    edges = (
        ("skip_connect", 1),
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 2),
        ("skip_connect", 0),
    )
    cell = CellGenotype(edges, (2, 3))
    genotype = Genotype("darts_conv", {"normal": cell, "reduce": cell})
    assert TABLE.of(genotype) == 1000 + 2 + 10 + 50 + 3


def test_bounds_take_the_cheapest_and_the_dearest_edges_of_each_node():
    assert TABLE.bounds() == (1000 + 1 + 2 + 3 + 4, 1000 + 10 + 20 + 40 + 50)


def test_the_zero_operation_counts_where_it_may_be_derived():
    assert not derivable(CELL)[:, 0].any() and derivable(CELL)[:, 1:].all()
    spec = nasbench201.SPACE.cells[0]
    costs = np.tile([0, 0, 5, 7, 0], (6, 1))
    table = CostTable("parameters", nasbench201.SPACE, 3, {spec.name: costs})
    assert table.bounds() == (3, 3 + 6 * 7)


def test_edges_of_a_node_stand_together():
    assert rows_by_node(CELL) == [[0, 1], [2, 3, 4]]
