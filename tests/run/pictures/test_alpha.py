"""Colours and places in the pictures of mixing weights.

Values and refusals of the same functions: test_genotypes.py.
"""

from __future__ import annotations

import types

import matplotlib
import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.run.pictures import alpha
from darts_tf.run.pictures.alpha import (
    check_weights,
    chosen_candidates,
    draw_alpha,
    draw_alpha_history,
    edge_label,
)
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype

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


def heat_maps(figure) -> list[np.ndarray]:
    """The colours of each cell's places, from 0 (least) over 0.5 (even) to 1."""
    return [np.asarray(i.get_array()) for i in figure.axes[0].images]


def test_colours_tell_apart_what_is_more_and_less_than_an_even_share():
    first, second = heat_maps(draw_alpha(SPACE, weights(0.8)))
    np.testing.assert_allclose(first, [[0, 0, 1]] * 5)
    np.testing.assert_allclose(second, [[0, 0, 1]])


def test_small_differences_are_seen_and_noise_is_not():
    """A tenth of an even share spans the colours; a thousandth stays white."""
    for part, low, high in ((0.1, 0, 1), (0.001, 0.49, 0.51)):
        row = np.array([[1 - part, 1, 1 + part]]) / 3
        (shares,) = heat_maps(draw_alpha(SPACE, {"second": row}))
        np.testing.assert_allclose(shares, [[low, 0.5, high]], atol=1e-6)


def test_values_are_percent_and_can_be_read_on_dark_and_on_light():
    row = np.array([[0.02, 0.334, 0.646]])
    (axes,) = draw_alpha(SPACE, {"second": row}).axes
    values = [t for t in axes.texts if t.get_gid() == "value"]
    colours = {t.get_text(): t.get_color() for t in values}
    assert colours == {"2.0": "white", "33.4": "#202020", "64.6": "white"}


CHOSEN = types.SimpleNamespace(  # of a space that is not registered
    cells={
        "first": CellGenotype((("a", 0), ("b", 1), ("b", 2), ("a", 0)), (2, 3)),
        "second": CellGenotype((("b", 0),), (1,)),
    }
)


def test_chosen_operations_are_framed_in_the_heat_map():
    first, second = SPACE.cells
    assert chosen_candidates(first, CHOSEN.cells["first"]) == {0: 1, 1: 2, 4: 2, 2: 1}
    assert chosen_candidates(second, CHOSEN.cells["second"]) == {0: 2}
    assert chosen_candidates(second, None) == {}
    (axes,) = draw_alpha(SPACE, {"second": weights()["second"]}, CHOSEN).axes
    (frame,) = [p for p in axes.patches if p.get_gid() == "chosen"]
    (value,) = [t for t in axes.texts if t.get_text() == "40.0"]
    x, y = value.get_position()
    assert frame.get_x() < x < frame.get_x() + frame.get_width()
    assert frame.get_y() < y < frame.get_y() + frame.get_height()


def test_a_published_operation_that_is_not_searched_is_passed_over():
    cell = CellGenotype((("conv_7x1_1x7", 0),), (1,))
    assert chosen_candidates(SPACE.cells[1], cell) == {}


def charts(figure) -> dict[str, tuple[float, float]]:
    """The place of each edge's frame, by its label."""
    (axes,) = figure.axes
    frames = [p for p in axes.patches if p.get_gid() in ("edge", "chosen edge")]
    labels = [t.get_text() for t in axes.texts if t.get_gid() == "edge"]
    return dict(zip(labels, [p.get_xy() for p in frames], strict=True))


def test_history_is_a_triangle_of_nodes_and_predecessors():
    history = {"first": weights(0.4, 2)["first"]}
    places = charts(draw_alpha_history(SPACE, history))
    assert list(places) == ["0→2", "1→2", "0→3", "1→3", "2→3"]
    columns = sorted({x for x, _ in places.values()})
    rows = sorted({y for _, y in places.values()}, reverse=True)
    assert {e: (rows.index(y), columns.index(x)) for e, (x, y) in places.items()} == {
        "0→2": (0, 0),
        "1→2": (0, 1),
        "0→3": (1, 0),
        "1→3": (1, 1),
        "2→3": (1, 2),
    }


def curves(figure) -> dict[str, matplotlib.lines.Line2D]:
    (axes,) = figure.axes
    return {line.get_gid(): line for line in axes.lines if "→" in str(line.get_gid())}


def test_a_candidate_has_one_colour_everywhere():
    figure = draw_alpha_history(SPACE, {"first": weights(0.4, 2)["first"]})
    lines = curves(figure)
    assert len(lines) == 5 * 3
    for name, colour in zip(NAMES, alpha.PALETTE):
        found = {line.get_color() for gid, line in lines.items() if name == gid[4:]}
        assert found == {colour}
    legend = [t for t in figure.axes[0].texts if t.get_gid() == "legend"]
    assert [t.get_text() for t in legend] == [*NAMES]


def test_chosen_edges_are_framed_and_their_operations_thick():
    figure = draw_alpha_history(SPACE, {"first": weights(0.4, 3)["first"]}, CHOSEN)
    thick = {gid for gid, line in curves(figure).items() if line.get_linewidth() > 2}
    assert thick == {"0→2 a", "1→2 b", "2→3 b", "0→3 a"}
    (axes,) = figure.axes
    kinds = [p.get_gid() for p in axes.patches]
    assert kinds == ["chosen edge"] * 3 + ["edge"] + ["chosen edge"]
    names = [t.get_text() for t in axes.texts if t.get_gid() == "chosen"]
    assert names == ["a", "b", "a", "b"]


def test_curves_stay_in_their_frames_and_rise_with_the_weights():
    history = {"second": np.array([[[0.2, 0.3, 0.5]], [[0.1, 0.2, 0.7]]])}
    figure = draw_alpha_history(SPACE, history)
    (axes,) = figure.axes
    (frame,) = [p for p in axes.patches if p.get_gid() == "edge"]
    low, high = frame.get_y(), frame.get_y() + frame.get_height()
    up = curves(figure)["0→1 b"].get_ydata()
    down = curves(figure)["0→1 none"].get_ydata()
    assert low < up[0] < up[1] == pytest.approx(high)
    assert low == pytest.approx(down[1]) and down[1] < down[0] < high
    note = next(t.get_text() for t in axes.texts if t.get_gid() == "note")
    assert "epochs 1 to 2" in note and "10.0 to 70.0 %" in note


@pytest.mark.parametrize("epochs, marker", [(1, "."), (2, "None")])
def test_a_single_epoch_is_a_dot(epochs, marker):
    """A line through one point would show nothing."""
    figure = draw_alpha_history(SPACE, {"first": weights(0.4, epochs)["first"]})
    lines = curves(figure).values()
    assert {line.get_marker() for line in lines} == {marker}
    assert {len(line.get_xdata()) for line in lines} == {epochs}


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
