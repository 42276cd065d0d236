"""Draws mixing weights: a heat map, and curves over the epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from darts_tf.errors import InputError
from darts_tf.run.pictures.labels import colours_of, styles_of, text_width
from darts_tf.space.cell import CellSpec, SearchSpace

DPI = 110
DARKEST = 0.3  # the darkest blue stands for at least this weight
TICK_TEXT, PLACE_TEXT, LEGEND_TEXT, TITLE_TEXT = 10, 6, 9, 12  # points
SLANT = math.radians(35)  # of the names below a heat map
COLUMN, ROW = 0.85, 0.34  # of a heat map, inches
BOLD = 1.15  # the width of bold text, relative to normal text
PALETTE = (
    "#9a9a9a",
    "#e08214",
    "#f5c04a",
    "#b3401f",
    "#1f5fa8",
    "#6aaed6",
    "#2b7a3a",
    "#8cc785",
    "#7b4199",
    "#0c7d83",
)


def edge_label(edge: tuple[int, int]) -> str:
    """Formats an edge: (0, 2) -> "0→2"."""
    return f"{edge[0]}→{edge[1]}"


def draw_alpha(space: SearchSpace, weights: Mapping[str, np.ndarray]) -> Figure:
    """Draws a heat map of each cell with every value written into its place.

    Args:
      space: the space the weights belong to.
      weights: for each cell's name its mixing weights [edges, candidates]
        (softmax of alpha, eq. 2), numbers from 0 to 1.

    Returns:
      Rows are edges, columns candidates. Where edges have different
      candidates the names stand in the places.

    Raises:
      InputError: an unknown cell, or another shape than alpha's.
    """
    parts = check_weights(space, weights, axes=2)
    rows = max(len(spec.edges) for spec, _ in parts)
    wide = [_heat_map_width(spec) for spec, _ in parts]
    below = max(1.0, *(math.sin(SLANT) * _tick_width(spec) for spec, _ in parts))
    figure = Figure(
        (sum(wide) + 0.3, ROW * rows + 0.6 + below), dpi=DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(1, len(parts), squeeze=False, width_ratios=wide)
    for axes, (spec, values) in zip(grid[0], parts):
        _heat_map(axes, spec, values)
    return figure


def _same_candidates(spec: CellSpec) -> bool:
    return len(set(spec.candidates)) == 1


def _tick_width(spec: CellSpec) -> float:
    if not _same_candidates(spec):
        return 0.0
    return max(text_width(name, TICK_TEXT) for name in spec.candidates[0])


def _heat_map_width(spec: CellSpec) -> float:
    """Returns the width in inches that lets all names fit."""
    column, left = COLUMN, math.cos(SLANT) * _tick_width(spec)
    if not _same_candidates(spec):
        names = {name for edge in spec.candidates for name in edge}
        widths = [text_width(name, PLACE_TEXT) for name in names]
        column = max(COLUMN, max(widths) + 0.1)
    title = text_width(_heat_map_title(spec), TITLE_TEXT) * BOLD
    return max(column * spec.alpha_shape[1] + max(0.9, left), title)


def _heat_map_title(spec: CellSpec) -> str:
    return f"{spec.title}: mixing weights"


def _heat_map(axes, spec: CellSpec, values: np.ndarray) -> None:
    top = max(DARKEST, float(values.max()))  # early weights are all small
    axes.imshow(values, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    axes.set_title(_heat_map_title(spec), weight="bold")
    axes.set_yticks(range(len(spec.edges)), map(edge_label, spec.edges))
    same = _same_candidates(spec)
    names = [name for name in spec.candidates[0]] if same else []
    axes.set_xticks(
        range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor"
    )
    axes.tick_params(length=0)
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.2f}"
        if not same:
            text = f"{spec.candidates[row][column]}\n{text}"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=8 if same else PLACE_TEXT,
            color="white" if value > 0.55 * top else "#202020",
        )


def draw_alpha_history(space: SearchSpace, history: Mapping[str, np.ndarray]) -> Figure:
    """Draws curves of the mixing weights, one small picture for each edge.

    Args:
      space: the space the weights belong to.
      history: for each cell's name [T, edges, candidates], T epochs.

    Returns:
      Each cell is a triangle: a row for each node, a column for each
      predecessor.

    Raises:
      InputError: an unknown cell, or another shape than alpha's.
    """
    parts = check_weights(space, history, axes=3)
    names = list(
        dict.fromkeys(n for spec, _ in parts for edge in spec.candidates for n in edge)
    )
    colours, styles = colours_of(names, PALETTE), styles_of(names, PALETTE)
    columns = max(spec.inputs + spec.nodes - 1 for spec, _ in parts)
    rows = [spec.nodes for spec, _ in parts]
    title = "{}: mixing weights by epoch"
    titles = {spec.name: title.format(spec.title) for spec, _ in parts}
    entry = max(text_width(name, LEGEND_TEXT) for name in names) + 0.6
    widest = max(text_width(text, TITLE_TEXT) for text in titles.values())
    width = max(1.9 * columns + 0.6, entry, BOLD * widest + 0.2)
    across = max(1, min(len(names), 4, int(width / entry)))
    lines_of_legend = -(-len(names) // across)
    height = 1.35 * sum(rows) + 1.2 + 0.2 * max(0, lines_of_legend - 2)
    figure = Figure((width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    below = figure.subfigures(len(parts), 1, height_ratios=rows, squeeze=False)
    for part, (spec, values) in zip(below[:, 0], parts):
        part.suptitle(titles[spec.name], weight="bold")
        _triangle(part, spec, values, columns, colours, styles)
    lines = [
        Line2D([], [], color=colours[n], linestyle=styles[n], lw=2.5) for n in names
    ]
    figure.legend(
        lines,
        [*names],
        loc="outside lower center",
        fontsize=LEGEND_TEXT,
        ncols=across,
        frameon=False,
    )
    return figure


def _triangle(figure, spec, values, columns, colours, styles) -> None:
    grid = figure.subplots(spec.nodes, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    epochs = np.arange(1, len(values) + 1)
    top = max(0.05, 1.05 * float(np.max(values, initial=0.0)))
    for row, (source, target) in enumerate(spec.edges):
        axes = grid[target - spec.inputs, source]
        axes.set_axis_on()
        axes.set_title(edge_label((source, target)), fontsize=9, pad=3)
        axes.tick_params(labelsize=7)
        axes.set_ylim(0, top)
        for column, name in enumerate(spec.candidates[row]):
            axes.plot(
                epochs,
                values[:, row, column],
                color=colours[name],
                linestyle=styles[name],
                lw=1.4,
                marker="." if len(values) == 1 else None,
            )


def check_weights(
    space: SearchSpace, values: Mapping[str, np.ndarray], axes: int
) -> list[tuple[CellSpec, np.ndarray]]:
    """Returns (specification, float64 array) of each cell, in the space's order.

    Args:
      space: the space the values belong to.
      values: for each cell's name [edges, candidates], or with a first axis
        of epochs.
      axes: 2 or 3, accordingly.

    Raises:
      InputError: an unknown cell, no cell, another shape or a value that is
        no weight.
    """
    for name in values:
        space.cell(name)
    parts = []
    for spec in space.cells:
        if spec.name not in values:
            continue
        array = np.asarray(values[spec.name], dtype=np.float64)
        if array.ndim != axes or array.shape[-2:] != spec.alpha_shape:
            wanted = [*("T",) * (axes - 2), *spec.alpha_shape]
            raise InputError(
                f"mixing weights of cell '{spec.name}' must have the shape "
                f"[{', '.join(map(str, wanted))}]. "
                f"Received: {list(array.shape)}"
            )
        if not (np.isfinite(array).all() and (array >= 0).all()):
            raise InputError(
                f"mixing weights of cell '{spec.name}' must be finite and "
                f"not negative: pass softmax(alpha), not alpha"
            )
        parts.append((spec, array))
    if not parts:
        raise InputError(
            f"mixing weights of at least one cell of space '{space.name}' "
            f"are needed. Received: none"
        )
    return parts
