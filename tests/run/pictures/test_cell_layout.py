"""Layouts of random cells: nothing overlaps.

The same on paper, with ink and arrows: test_pictures.py.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.run.pictures import cell_layout
from darts_tf.run.pictures.cell_layout import GAP_Y, Edge, node_columns, place

WIDTHS = {"a": 0.4, "skip": 0.9, "a very long name": 1.9}
WIDE = 1.5  # the box of node 0
NEAR = 1e-6  # rounding, in inches


@st.composite
def cells(draw):
    """(inputs, nodes, edges without those into the output)."""
    inputs = draw(st.integers(1, 3))
    nodes = draw(st.integers(1, 7))
    labels = st.sampled_from(sorted(WIDTHS))
    edges = []
    for target in range(inputs, inputs + nodes):
        sources = draw(st.lists(st.integers(0, target - 1), min_size=1, max_size=3))
        edges += [Edge(s, target, draw(labels)) for s in sources]
    return inputs, nodes, edges


def laid_out(cell):
    """(edges, the column of each node, layout)."""
    inputs, nodes, edges = cell
    output = inputs + nodes
    columns = node_columns(inputs, nodes, edges, output)
    edges = edges + [Edge(n, output, "") for n in range(inputs, output)]
    return edges, columns, place(columns, edges, WIDTHS, {0: WIDE})


def items(layout):
    every = [*layout.nodes.values(), *itertools.chain(*layout.chains)]
    return list({id(item): item for item in every}.values())


some = settings(max_examples=40, deadline=None, derandomize=True)


@some
@given(cells())
def test_in_a_column_nothing_touches(cell):
    _, _, layout = laid_out(cell)
    for a, b in itertools.combinations(items(layout), 2):
        if a.column == b.column:
            apart = abs(a.y - b.y) - (a.height + b.height) / 2
            assert apart > GAP_Y - NEAR


@some
@given(cells())
def test_columns_stand_side_by_side_and_hold_their_items(cell):
    _, _, layout = laid_out(cell)
    for (_, right), (left, _) in itertools.pairwise(layout.columns):
        assert right < left
    for item in items(layout):
        left, right = layout.columns[item.column]
        assert left - NEAR <= item.x - item.width / 2
        assert item.x + item.width / 2 <= right + NEAR


@some
@given(cells())
def test_edges_go_right_through_a_place_in_every_column(cell):
    edges, columns, layout = laid_out(cell)
    for edge, chain in zip(edges, layout.chains, strict=True):
        assert chain[0] is layout.nodes[edge.source]
        assert chain[-1] is layout.nodes[edge.target]
        first, last = columns[edge.source], columns[edge.target]
        assert [i.column for i in chain] == list(range(first, last + 1))
        assert all(item.node is None for item in chain[1:-1])


@some
@given(cells())
def test_every_label_has_a_place_of_its_own_on_its_edge(cell):
    edges, _, layout = laid_out(cell)
    owned = [label for label in layout.labels if label]
    assert len({id(label) for label in owned}) == len(cell[2])
    for edge, chain, label in zip(edges, layout.chains, layout.labels):
        assert (label is None) == (edge.label == "")
        if label:
            assert any(label is item for item in chain[1:-1])
            assert label.width == WIDTHS[edge.label]
            assert label.column % 2 == 1  # nodes stand in even ones


@some
@given(cells())
def test_edges_meet_their_node_at_its_side_each_at_its_height(cell):
    edges, _, layout = laid_out(cell)
    for end in (0, 1):
        used = {}
        for edge, ports in zip(edges, layout.ports, strict=True):
            number = (edge.source, edge.target)[end]
            node = layout.nodes[number]
            assert abs(ports[end] - node.y) <= node.height / 2 + NEAR
            used.setdefault(number, []).append(ports[end])
        for heights in used.values():
            for low, high in itertools.pairwise(sorted(heights)):
                assert high - low > 0.1


@some
@given(cells())
def test_all_of_it_is_on_the_page_and_nothing_of_the_page_is_spare(cell):
    _, _, layout = laid_out(cell)
    every = items(layout)
    low = min(i.y - i.height / 2 for i in every)
    high = max(i.y + i.height / 2 for i in every)
    left = min(i.x - i.width / 2 for i in every)
    right = max(i.x + i.width / 2 for i in every)
    assert (left, low) == pytest.approx((0, 0), abs=NEAR)
    assert (right, high) == pytest.approx(layout.size, abs=NEAR)


@some
@given(cells())
def test_the_same_cell_is_laid_out_the_same(cell):
    first, second = (laid_out(cell)[2] for _ in range(2))
    assert first.ports == second.ports and first.size == second.size


def test_boxes_are_as_wide_as_their_names_and_high_enough_for_ports():
    cell = (1, 9, [Edge(0, n, "a") for n in range(1, 10)])
    _, _, layout = laid_out(cell)
    assert layout.nodes[0].width == WIDE
    assert layout.nodes[0].height == pytest.approx(9 * cell_layout.PORT)
    assert layout.nodes[1].width == cell_layout.NODE_WIDTH
    assert layout.nodes[1].height == cell_layout.NODE_HEIGHT


def test_labels_spread_over_the_columns_they_may_stand_in():
    """The edge 0 -> 3 could carry its label in three columns."""
    edges = [
        Edge(0, 1, "a"),
        Edge(1, 2, "a"),
        Edge(0, 2, "a"),
        Edge(0, 3, "skip"),
        Edge(2, 3, "a"),
    ]
    _, _, layout = laid_out((1, 3, edges))
    columns = [label.column for label in layout.labels if label]
    assert columns[0] == 1 and columns[1] == 3 and columns[4] == 5
    assert sorted(columns) in ([1, 1, 3, 3, 5], [1, 1, 3, 5, 5], [1, 3, 3, 5, 5])
