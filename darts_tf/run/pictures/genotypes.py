"""Draws cells without a display or a `dot` binary.

This module exports the functions of `run.pictures.alpha` too.

Figures are made with matplotlib's objects, never with pyplot: nothing global
changes, nothing has to be closed.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from darts_tf.run.files import write_atomic
from darts_tf.run.pictures import cell_layout, chains
from darts_tf.run.pictures.alpha import draw_alpha, draw_alpha_history
from darts_tf.run.pictures.cell_layout import Edge
from darts_tf.run.pictures.labels import colours_of, text_width
from darts_tf.space.cell import ZERO, SearchSpace
from darts_tf.space.chain import ChainSpace
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import CELL
from darts_tf.space.published import any_genotype
from darts_tf.space.registry import space_by_name

__all__ = [
    "draw_alpha",
    "draw_alpha_history",
    "draw_genotype",
    "figure_to_array",
    "figure_to_png",
    "save_genotype",
]

DPI = 110
MARGIN, TITLE = 0.2, 0.4  # inches
TEXT, NODE_TEXT = 11, 12  # points
FILLS = {"input": "#d3ead0", "node": "#cfe2f7", "output": "#f9ecb4"}
PALE, GREY = "#c2c2c2", "#8a8a8a"  # of zero operations, of edges without one
PALETTE = (
    "#1f5fa8",
    "#b3401f",
    "#2b7a3a",
    "#7b4199",
    "#8a6500",
    "#0c7d83",
    "#b0296f",
    "#555555",
    "#5b4bd0",
    "#6b4a2b",
)


def draw_genotype(genotype: Genotype | str | os.PathLike) -> Figure:
    """Draws the cells below each other, like figures 4 to 6 of DARTS.

    Inputs at the left (green), intermediate nodes (blue), the output at the
    right (yellow). Nodes carry the numbers that they have in a genotype's JSON
    and in the pictures of mixing weights, the inputs' first. Each arrow carries
    its operation's name and a colour of that operation; zero operations are
    pale. Registered operations and spaces are drawn alike. A chain is a row of
    blocks (run/pictures/chains.py).

    Args:
      genotype: or what it can be read from: a JSON file, a published name, what
        other projects print.

    Raises:
      InputError: it stands for no genotype.
    """
    genotype = any_genotype(genotype)
    space = space_by_name(genotype.space)
    if isinstance(space, ChainSpace):
        return chains.draw_chain(space, genotype)
    colours = colours_of(space.operations, PALETTE) | {ZERO: PALE}
    layouts = {
        name: _lay_out(cell, space, name) for name, cell in genotype.cells.items()
    }
    width = max(layout.size[0] for _, layout, _ in layouts.values()) + 2 * MARGIN
    height = MARGIN + sum(
        layout.size[1] + TITLE + MARGIN for _, layout, _ in layouts.values()
    )
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()  # one unit of the axes is one inch
    top = height - MARGIN
    for name, (edges, layout, names) in layouts.items():
        axes.text(
            MARGIN,
            top,
            space.cell(name).title,
            va="top",
            fontsize=NODE_TEXT,
            weight="bold",
            gid=f"title {name}",
        )
        top -= TITLE + layout.size[1]
        left = (width - layout.size[0]) / 2
        _draw_cell(axes, edges, layout, names, colours, left, top)
        top -= MARGIN
    return figure


def save_genotype(genotype: Genotype, prefix: Path) -> list[Path]:
    """Writes `prefix`.png and `prefix`.svg; text stays text in the SVG."""
    figure = draw_genotype(genotype)
    prefix, svg = Path(prefix), io.BytesIO()
    paths = [prefix.with_name(prefix.name + end) for end in (".png", ".svg")]
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "genotype"}):
        write_atomic(paths[0], figure_to_png(figure))
        figure.savefig(svg, format="svg", metadata={"Date": None})
    write_atomic(paths[1], svg.getvalue())
    return paths


ENDS = {
    "recurrent": (["$x_{t}$", "$h_{t-1}$"], "$h_{t}$"),
    "normal": (["$c_{k-2}$", "$c_{k-1}$"], "$c_{k}$"),
    CELL: (["input"], "output"),
}
WITHOUT_NUMBERS = ("recurrent",)
"""Cells whose inputs have no number: node 0 is the first that they enter."""


def _node_names(cell: str, inputs: int, nodes: int) -> list[str]:
    """Returns the names of all nodes, the output last."""
    first, last = ENDS.get(cell, ENDS["normal"])
    if len(first) != inputs:
        first, last = ["input"] * inputs, "output"
    start = 0
    if cell not in WITHOUT_NUMBERS:
        first = [f"{number}: {name}" for number, name in enumerate(first)]
        start = inputs
    return [*first, *map(str, range(start, start + nodes)), last]


def _lay_out(cell: CellGenotype, space: SearchSpace, name: str):
    spec = space.cell(name)
    inputs, targets = spec.inputs, spec.entered(len(cell.edges))
    nodes = targets[-1] + 1 - inputs
    output = inputs + nodes
    edges = [
        Edge(source, target, operation)
        for target, (operation, source) in zip(targets, cell.edges)
    ]
    concat = list(cell.concat)
    if name == "recurrent":  # node 0 has two fixed inputs
        edges = [Edge(e.source + 2, e.target + 2, e.label) for e in edges]
        edges = [Edge(0, 2, ""), Edge(1, 2, ""), *edges]
        concat = [node + 2 for node in concat]
        inputs, nodes, output = 2, nodes + 1, output + 2
    columns = cell_layout.node_columns(inputs, nodes, edges, output)
    edges += [Edge(node, output, "") for node in concat]
    names = _node_names(spec.name, inputs, nodes)
    layout = cell_layout.place(
        columns,
        edges,
        {e.label: text_width(e.label, TEXT) + 0.1 for e in edges},
        {i: text_width(n, NODE_TEXT) + 0.2 for i, n in enumerate(names)},
    )
    return edges, layout, names


def _draw_cell(axes, edges, layout, names, colours, left, low) -> None:
    for index, edge in enumerate(edges):
        colour = colours.get(edge.label, GREY)
        curve = _curve(layout, index, left, low)
        axes.add_patch(
            FancyArrowPatch(
                path=curve,
                arrowstyle="-|>",
                mutation_scale=11,
                color=colour,
                linewidth=1.3,
                shrinkA=0,
                shrinkB=0,
                linestyle="--" if edge.label == ZERO else "-",
            )
        )
        label = layout.labels[index]
        if label:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            axes.text(
                left + label.x,
                low + label.y,
                edge.label,
                ha="center",
                va="center",
                fontsize=TEXT,
                color=colour,
                bbox=box,
                gid="label",
            )
    for number, item in layout.nodes.items():
        kind = "node" if names[number].isdigit() else "input"
        if number == len(names) - 1:
            kind = "output"
        _draw_box(axes, item, names[number], FILLS[kind], left, low)


def _draw_box(axes, item, name, fill, left, low) -> None:
    corner = (left + item.x - item.width / 2, low + item.y - item.height / 2)
    axes.add_patch(
        FancyBboxPatch(
            corner,
            item.width,
            item.height,
            facecolor=fill,
            boxstyle="round,pad=0,rounding_size=0.12",
            edgecolor="#404040",
            gid="box",
        )
    )
    axes.text(
        left + item.x, low + item.y, name, ha="center", va="center", fontsize=NODE_TEXT
    )


def _curve(layout, index: int, left: float, low: float) -> Curve:
    """Returns an edge's curve: level inside columns, an S between them."""
    chain, (leave, enter) = layout.chains[index], layout.ports[index]
    x = left + chain[0].x + chain[0].width / 2
    points, codes = [(x, low + leave)], [Curve.MOVETO]

    def bend(x: float, y: float) -> None:
        x0, y0 = points[-1]
        half = (x0 + x) / 2
        points.extend([(half, y0), (half, y), (x, y)])
        codes.extend([Curve.CURVE4] * 3)

    for item in chain[1:-1]:
        start, end = layout.columns[item.column]
        bend(left + start, low + item.y)
        points.append((left + end, low + item.y))
        codes.append(Curve.LINETO)
    tip = left + chain[-1].x - chain[-1].width / 2
    bend(tip - 0.12, low + enter)  # straight into the arrow's head
    points.append((tip, low + enter))
    codes.append(Curve.LINETO)
    return Curve(points, codes)


def figure_to_png(figure: Figure, dpi: float | None = None) -> bytes:
    """Returns the figure as the content of a PNG file.

    Args:
      figure: to be drawn.
      dpi: pixels an inch; None: the figure's own.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi or figure.dpi)
    return stream.getvalue()


def figure_to_array(figure: Figure) -> np.ndarray:
    """Returns the figure as uint8 [H, W, 3], red, green, blue."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]
