from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.space.cell import CellSpec
from darts_tf.space.conv import SPACE

TWO = (("none", "a"),) * 5  # two inputs, two nodes: 2 + 3 edges


def make(candidates=TWO, nodes=2):
    return CellSpec("tiny", 2, nodes, candidates, 2, (2, 3))


def test_edges_go_by_target_then_source():
    assert make().edges == ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def test_alpha_has_a_row_an_edge_and_a_column_a_candidate():
    assert make().alpha_shape == (5, 2)


def test_incoming_and_outgoing_name_rows_of_alpha():
    spec = make()
    assert spec.incoming(3) == ((2, 0), (3, 1), (4, 2))
    assert spec.outgoing(1) == ((1, 2), (3, 3))
    assert spec.outgoing(3) == ()


@pytest.mark.parametrize("spec", SPACE.cells, ids=lambda spec: spec.name)
def test_incoming_and_outgoing_agree_with_edges(spec):
    for row, (source, target) in enumerate(spec.edges):
        assert (row, source) in spec.incoming(target)
        assert (row, target) in spec.outgoing(source)


@pytest.mark.parametrize(
    "candidates",
    [
        TWO[:4],
        TWO[:4] + (("none", "a", "b"),),
        TWO[:4] + (("a", "a"),),
        (("none",),) * 5,
    ],
    ids=["edges", "uneven", "twice", "only zero"],
)
def test_candidates_that_do_not_fit(candidates):
    with pytest.raises(InputError, match="cell 'tiny'"):
        make(candidates)


def test_unknown_cell_names_those_that_exist():
    with pytest.raises(InputError, match="normal, reduce"):
        SPACE.cell("recurrent")
