from __future__ import annotations

import collections
import functools
import itertools
import random
import struct
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch
from matplotlib.transforms import Bbox

from darts_tf.errors import InputError
from darts_tf.run.pictures import cell_layout, genotypes
from darts_tf.run.pictures.cell_layout import Edge
from darts_tf.space import operation_names
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import CANDIDATES, SPACE
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL, load_genotype
from darts_tf.space.registry import SPACES, space_by_name


def last_candidates(space) -> Genotype:
    """Cells of any space: the first edges of a node with their last candidates."""
    cells = {}
    for spec in space.cells:
        edges = []
        for node in spec.targets:
            incoming = spec.incoming(node)[: spec.predecessors]
            edges += [(spec.candidates[row][-1], source) for row, source in incoming]
        cells[spec.name] = CellGenotype(tuple(edges), spec.concat)
    return Genotype(space.name, cells)


def random_genotype(seed: int, nodes: int = 4) -> Genotype:
    generator = random.Random(seed)

    def cell() -> CellGenotype:
        edges = tuple(
            (generator.choice(CANDIDATES[1:]), source)
            for node in range(nodes)
            for source in generator.sample(range(node + 2), 2)
        )
        return CellGenotype(edges, tuple(range(2, 2 + nodes)))

    return Genotype("darts_conv", {"normal": cell(), "reduce": cell()})


NASBENCH201 = load_genotype(
    "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|",
    "nasbench201",
)
GENOTYPES = {
    "nasbench201": NASBENCH201,
    **CONVOLUTIONAL,
    **{f"random{seed}": random_genotype(seed) for seed in range(20)},
    "nine nodes": random_genotype(99, nodes=9),
}


@functools.cache
def drawn(name: str):
    """(labels' texts, their boxes, node boxes, arrows, page) in pixels."""
    figure = genotypes.draw_genotype(GENOTYPES[name])
    canvas = figure.canvas
    canvas.draw()
    renderer = canvas.get_renderer()
    axes = figure.axes[0]
    labels = [t for t in axes.texts if t.get_gid() == "label"]
    nodes = [p for p in axes.patches if p.get_gid() == "box"]
    arrows = [p for p in axes.patches if isinstance(p, FancyArrowPatch)]
    return (
        [t.get_text() for t in labels],
        [Bbox.from_bounds(*t.get_window_extent(renderer).bounds) for t in labels],
        [p.get_window_extent(renderer) for p in nodes],
        [p.get_path().transformed(axes.transData) for p in arrows],
        figure.bbox,
    )


def overlap(a, b) -> bool:
    return a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1


@pytest.mark.slow
@pytest.mark.parametrize("name", GENOTYPES)
def test_nothing_overlaps_and_every_edge_is_labelled(name):
    genotype = GENOTYPES[name]
    texts, labels, boxes, arrows, page = drawn(name)
    cells = genotype.cells.values()
    wanted = [op for cell in cells for op, _ in cell.edges]
    assert collections.Counter(texts) == collections.Counter(wanted)
    assert len(arrows) == sum(len(c.edges) + len(c.concat) for c in cells)
    for a, b in itertools.combinations([*labels, *boxes], 2):
        assert not overlap(a, b)
    for box in [*labels, *boxes]:
        assert page.x0 <= box.x0 and box.x1 <= page.x1
        assert page.y0 <= box.y0 and box.y1 <= page.y1
    assert all(12 < box.height for box in labels)  # readable


@pytest.mark.parametrize("name", GENOTYPES)
def test_an_arrow_passes_under_no_label_but_its_own_and_no_box(name):
    _, labels, boxes, arrows, _ = drawn(name)
    lines = [path.interpolated(1).to_polygons(closed_only=False)[0] for path in arrows]
    owners = collections.Counter()
    for line in lines:
        points = np.concatenate(
            [np.linspace(a, b, 9) for a, b in itertools.pairwise(line)]
        )
        hit = [i for i, box in enumerate(labels) if _inside(points, box)]
        assert len(hit) <= 1
        owners.update(hit)
        assert not any(_inside(points, box, by=1.5) for box in boxes)
    assert owners == dict.fromkeys(range(len(labels)), 1)


def _inside(points, box, by: float = 0.0) -> bool:
    x, y = points.T
    return bool(
        np.any(
            (x > box.x0 + by)
            & (x < box.x1 - by)
            & (y > box.y0 + by)
            & (y < box.y1 - by)
        )
    )


def test_nodes_stand_in_the_order_in_which_they_are_computed():
    edges = [
        Edge(0, 2, "a"),
        Edge(1, 2, "a"),
        Edge(2, 3, "a"),
        Edge(0, 3, "b"),
        Edge(0, 4, "b"),
        Edge(1, 4, "b"),
    ]
    columns = cell_layout.node_columns(2, 3, edges, output=5)
    assert columns == {0: 0, 1: 0, 2: 2, 3: 4, 4: 2, 5: 5}


def test_zero_operations_are_pale_and_nodes_numbered_as_in_strings():
    axes = genotypes.draw_genotype(NASBENCH201).axes[0]
    colours = {t.get_text(): t.get_color() for t in axes.texts}
    assert colours["none"] == genotypes.PALE
    assert genotypes.PALE not in {colours[n] for n in colours if n != "none"}
    assert set(colours) - {op for op, _ in NASBENCH201.cells["cell"].edges} == {
        "cell",
        "0: input",
        "1",
        "2",
        "3",
        "output",
    }


def test_png_and_svg_are_written_and_the_svg_holds_text(tmp_path):
    paths = genotypes.save_genotype(CONVOLUTIONAL["NASNet"], tmp_path / "a.cell")
    assert [p.name for p in paths] == ["a.cell.png", "a.cell.svg"]
    assert paths[0].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = "".join(ElementTree.parse(paths[1]).getroot().itertext())
    for cell in CONVOLUTIONAL["NASNet"].cells.values():
        for operation, _ in cell.edges:
            assert operation in text
    assert "normal cell" in text and "reduce cell" in text


def test_the_same_genotype_gives_the_same_files(tmp_path):
    one = genotypes.save_genotype(CONVOLUTIONAL["DARTS_V2"], tmp_path / "one")
    two = genotypes.save_genotype(CONVOLUTIONAL["DARTS_V2"], tmp_path / "two")
    for a, b in zip(one, two):
        assert a.read_bytes() == b.read_bytes()


def test_drawing_changes_no_global_setting():
    before = dict(matplotlib.rcParams)
    genotypes.figure_to_png(genotypes.draw_genotype(CONVOLUTIONAL["DARTS_V1"]))
    assert dict(matplotlib.rcParams) == before


def test_png_and_array_have_the_figures_size():
    figure = genotypes.draw_genotype(CONVOLUTIONAL["DARTS_V1"])
    array = genotypes.figure_to_array(figure)
    png = genotypes.figure_to_png(figure)
    assert array.dtype == np.uint8
    assert struct.unpack(">II", png[16:24]) == array.shape[1::-1]
    assert array.shape[2] == 3 and len(np.unique(array)) > 20


def uniform(space, *leading) -> dict:
    return {
        spec.name: np.full((*leading, *spec.alpha_shape), 0.125) for spec in space.cells
    }


def texts(figure, gid: str) -> list:
    (axes,) = figure.axes
    return [t for t in axes.texts if t.get_gid() == gid]


def test_heat_map_shows_every_value_with_its_edge_and_candidate():
    weights = uniform(SPACE)
    weights["reduce"][13, 4] = 0.87
    figure = genotypes.draw_alpha(SPACE, weights)
    assert [t.get_text() for t in texts(figure, "tick")] == 2 * [*CANDIDATES]
    (axes,) = figure.axes
    edges = [t.get_text() for t in axes.texts if "→" in t.get_text()]
    assert edges[:3] == ["0→2", "1→2", "0→3"] and len(edges) == 28
    values = texts(figure, "value")
    assert len(values) == 2 * 14 * 8
    assert values[14 * 8 + 13 * 8 + 4].get_text() == "87.0"
    reduce = axes.images[1].get_array()
    assert np.unravel_index(reduce.argmax(), reduce.shape) == (13, 4)


def test_heat_map_names_candidates_in_place_where_edges_differ():
    spec = CellSpec("normal", 2, 1, (("none", "a"), ("none", "b")), 2, (2,))
    space = SearchSpace("two", (spec,), ("none", "a", "b"))
    figure = genotypes.draw_alpha(space, {"normal": [[0.4, 0.6], [0.1, 0.9]]})
    values = [t.get_text() for t in texts(figure, "value")]
    assert values == ["none\n40.0", "a\n60.0", "none\n10.0", "b\n90.0"]


def test_history_has_a_chart_an_edge_with_the_curves_values():
    history = uniform(SPACE, 5)
    values = [0.1, 0.2, 0.3, 0.4, 0.5]
    history["normal"][:, 2, 3] = values
    figure = genotypes.draw_alpha_history(SPACE, {"normal": history["normal"]})
    assert len(texts(figure, "edge")) == 14
    (axes,) = figure.axes
    (curve,) = [x for x in axes.lines if x.get_gid() == f"0→3 {CANDIDATES[3]}"]
    steps = np.diff(curve.get_ydata())
    assert steps.min() == pytest.approx(steps.max())  # as even as the values
    assert np.diff(curve.get_xdata()).min() > 0
    assert [t.get_text() for t in texts(figure, "legend")] == [*CANDIDATES]


@pytest.mark.parametrize(
    "weights, message",
    [
        ({"normal": np.ones([8, 14])}, r"shape \[14, 8\].*\[8, 14\]"),
        ({"other": np.ones([14, 8])}, "no cell 'other'"),
        ({}, "at least one cell"),
        ({"normal": np.full([14, 8], -1.0)}, r"softmax\(alpha\)"),
        ({"normal": np.full([14, 8], np.nan)}, "finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        genotypes.draw_alpha(SPACE, weights)


LONG = "my_very_long_registered_operation_of_a_plugin"


@pytest.fixture
def registered(monkeypatch):
    """A user's space, with more names than colours, and long ones."""
    names = (LONG, *(f"op_{i}" for i in range(12)))
    monkeypatch.setattr(operation_names, "registered", set(names))
    names = ("none", "skip_connect", *names)
    cells = tuple(
        CellSpec(name, 2, 2, (names,) * 5, 2, (2, 3)) for name in ("normal", "reduce")
    )
    space = SearchSpace("users", cells, names)
    monkeypatch.setitem(SPACES, space.name, space)
    return space


def test_registered_operations_are_drawn_with_all_of_their_names(registered, tmp_path):
    edges = ((LONG, 0), ("op_1", 1), (LONG, 1), ("op_10", 2))
    cell = CellGenotype(edges, (2, 3))
    genotype = Genotype(registered.name, {"normal": cell, "reduce": cell})
    figure = genotypes.draw_genotype(genotype)
    (axes,) = figure.axes
    labels = [t for t in axes.texts if t.get_gid() == "label"]
    colours = [t.get_color() for t in labels]
    assert colours[0] == colours[2] and len(set(colours)) == 3
    assert set(colours) <= set(genotypes.PALETTE)
    renderer = figure.canvas.get_renderer()
    for text in axes.texts:
        box = text.get_window_extent(renderer)
        assert 0 <= box.x0 and box.x1 <= figure.bbox.x1
    again = genotypes.draw_genotype(genotype).axes[0]
    assert colours == [t.get_color() for t in again.texts if t.get_gid() == "label"]
    _, svg = genotypes.save_genotype(genotype, tmp_path / "cell")
    text = "".join(ElementTree.parse(svg).getroot().itertext())
    assert LONG in text and "op_10" in text


def test_alpha_of_registered_operations_fits_its_pictures(registered):
    heat = genotypes.draw_alpha(registered, uniform(registered))
    history = genotypes.draw_alpha_history(registered, uniform(registered, 2))
    for figure, gid in ((heat, "tick"), (history, "legend")):
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        assert {t.get_text() for t in texts(figure, gid)} == set(registered.operations)
        for text in figure.axes[0].texts:
            box = text.get_window_extent(renderer)
            assert -1 <= box.x0 and box.x1 <= figure.bbox.x1 + 1, text
            assert -1 <= box.y0 and box.y1 <= figure.bbox.y1 + 1, text
    lines = [x for x in history.axes[0].lines if x.get_gid() == "legend"]
    looks = {(line.get_color(), line.get_linestyle()) for line in lines}
    assert len(looks) == len(registered.operations)


@pytest.mark.parametrize("name", ["darts_conv", "darts_recurrent", "nasbench201", "s1"])
def test_pictures_of_mixing_weights_have_room_for_all_texts(name):
    space = space_by_name(name)
    even = {s.name: np.full(s.alpha_shape, 1 / s.alpha_shape[1]) for s in space.cells}
    chosen = last_candidates(space)
    history = {cell: np.stack([rows, rows]) for cell, rows in even.items()}
    for figure in (
        genotypes.draw_alpha(space, even, chosen),
        genotypes.draw_alpha_history(space, history, chosen),
    ):
        renderer = figure.canvas.get_renderer()
        for text in figure.axes[0].texts:
            box = text.get_window_extent(renderer)
            assert -1 <= box.x0 and box.x1 <= figure.bbox.x1 + 1, text
            assert -1 <= box.y0 and box.y1 <= figure.bbox.y1 + 1, text


@pytest.mark.parametrize("name", ["DARTS_V2", "nasbench201"])
def test_nodes_have_the_numbers_of_the_json_and_of_the_heat_map(name):
    """Arrows start at the box with the number that the JSON names as source."""
    genotype = GENOTYPES[name]
    space = space_by_name(genotype.space)
    spec = space.cells[0]
    cell = genotype.cells[spec.name]
    edges, layout, names = genotypes._lay_out(cell, space, spec.name)
    numbers = [int(n.partition(":")[0]) for n in names[:-1]]
    assert numbers == [*range(len(numbers))]
    drawn = {(e.source, e.target, e.label) for e in edges if e.label}
    targets = spec.entered(len(cell.edges))
    stored = {(source, t, op) for (op, source), t in zip(cell.edges, targets)}
    assert drawn == stored
    assert {(s, t) for s, t, _ in drawn} <= set(spec.edges)


def test_a_recurrent_cell_looks_like_figure_6():
    """x_t and h_{t-1} enter node 0, the searched nodes are 1 to 8."""
    genotype = load_genotype("DARTS_V2", "darts_recurrent")
    figure = genotypes.draw_genotype(genotype)
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert {"$x_{t}$", "$h_{t-1}$", "$h_{t}$"} < set(texts)
    assert [t for t in texts if t.isdigit()] == [str(i) for i in range(9)]
    drawn = sorted(t for t in texts if t in {"tanh", "relu", "sigmoid", "identity"})
    edges = genotype.cells["recurrent"].edges
    assert drawn == sorted(name for name, _ in edges)
