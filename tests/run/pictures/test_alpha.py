"""Colours and places in the pictures of mixing weights.

Values and refusals of the same functions: test_genotypes.py.
"""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.run.pictures import alpha
from darts_tf.run.pictures.alpha import (
    DARKEST,
    check_weights,
    draw_alpha,
    draw_alpha_history,
    edge_label,
)
from darts_tf.space.cell import CellSpec, SearchSpace

NAMES = ("none", "a", "b")
SPACE = SearchSpace(
    "three",
    (
        CellSpec("first", 2, 2, (NAMES,) * 5, 2, (2, 3)),
        CellSpec("second", 1, 1, (NAMES,), 1, (1,)),
    ),
    NAMES,
)


def weights(top: float = 0.4, *leading: int) -> dict:
    """(1 - top) / 2, (1 - top) / 2, top on every edge."""
    row = [(1 - top) / 2, (1 - top) / 2, top]
    return {
        s.name: np.broadcast_to(row, (*leading, *s.alpha_shape)).copy()
        for s in SPACE.cells
    }


def test_labels_name_both_ends():
    assert edge_label((0, 12)) == "0→12"


@pytest.mark.parametrize("top, darkest", [(0.9, 0.9), (0.5, 0.5)])
def test_the_largest_weight_is_the_darkest(top, darkest):
    figure = draw_alpha(SPACE, weights(top))
    assert [a.images[0].norm.vmax for a in figure.axes] == [darkest] * 2
    assert [a.images[0].norm.vmin for a in figure.axes] == [0] * 2


def test_weights_that_are_all_small_stay_pale():
    even = {"second": np.full((1, 3), 0.01)}
    (axes,) = draw_alpha(SPACE, even).axes
    assert axes.images[0].norm.vmax == DARKEST


def test_values_can_be_read_on_dark_and_on_light():
    (axes,) = draw_alpha(SPACE, {"second": weights(0.8)["second"]}).axes
    colours = {t.get_text(): t.get_color() for t in axes.texts}
    assert colours == {"0.10": "#202020", "0.80": "white"}


def places(figure) -> dict[str, tuple[int, int]]:
    """(row, column) by the edge's label."""
    visible = [a for a in figure.findobj(matplotlib.axes.Axes) if a.axison]
    specs = {a.get_title(): a.get_subplotspec() for a in visible}
    return {
        title: (spec.rowspan.start, spec.colspan.start) for title, spec in specs.items()
    }


def test_history_is_a_triangle_of_nodes_and_predecessors():
    history = {"first": weights(0.4, 2)["first"]}
    assert places(draw_alpha_history(SPACE, history)) == {
        "0→2": (0, 0),
        "1→2": (0, 1),
        "0→3": (1, 0),
        "1→3": (1, 1),
        "2→3": (1, 2),
    }


def test_a_candidate_has_one_colour_everywhere():
    figure = draw_alpha_history(SPACE, weights(0.4, 2))
    axes = [a for a in figure.findobj(matplotlib.axes.Axes) if a.lines]
    colours = {tuple(line.get_color() for line in a.lines) for a in axes}
    assert len(axes) == 6
    assert colours == {alpha.PALETTE[:3]}


@pytest.mark.slow
@pytest.mark.parametrize("epochs, marker", [(1, "."), (2, "None")])
def test_a_single_epoch_is_a_dot(epochs, marker):
    """A line through one point would show nothing."""
    figure = draw_alpha_history(SPACE, weights(0.4, epochs))
    lines = figure.findobj(
        lambda a: (
            isinstance(a, matplotlib.lines.Line2D)
            and len(a.get_xdata()) == epochs
            and a.axes is not None
            and a in a.axes.lines
        )
    )
    assert {line.get_marker() for line in lines} == {marker}
    assert len(lines) == 6 * 3


def test_cells_come_in_the_spaces_order_as_float64():
    tables = weights()
    tables = {n: tables[n].astype(np.float32) for n in ("second", "first")}
    parts = check_weights(SPACE, tables, axes=2)
    assert [spec.name for spec, _ in parts] == ["first", "second"]
    assert all(array.dtype == np.float64 for _, array in parts)


def test_a_history_without_epochs_axis_is_refused():
    with pytest.raises(InputError) as error:
        check_weights(SPACE, weights(), axes=3)
    assert "[T, 5, 3]" in str(error.value)
    assert "Received: [5, 3]" in str(error.value)
