"""Draws mixing weights: a heat map, and curves over the epochs.

All of a picture stands in one pair of axes whose unit is an inch: a picture of
36 small charts with axes of their own takes a second to draw, this one a tenth.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from darts_tf.errors import InputError
from darts_tf.run.pictures.labels import colours_of, styles_of, text_width
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype

DPI = 110
MARGIN = 0.08  # inches, like all sizes below
TITLE, NOTE = 0.26, 0.2  # heights of a title and of the line below it
TITLE_TEXT, NOTE_TEXT, LABEL_TEXT, SMALL_TEXT = 11, 8, 9, 6.5  # points
SLANT = math.radians(50)  # of the names below a heat map
COLUMN, ROW = 0.44, 0.25  # of a heat map
PANEL_WIDTH, PANEL_HEIGHT = 0.98, 0.62  # a chart of one edge
HEAD, GAP = 0.17, 0.1  # above a chart, beside it
LEFT, BELOW = 0.36, 0.16  # for the numbers at the axes
LAYERS_ABREAST = 5  # charts of a chain's layers
KEPT = "framed edges are kept, with the thick operation"
KEY, KEY_LINE = 0.19, 0.4  # height of a legend's line, width of its sample
BOLD = 1.15  # the width of bold text, relative to normal text
NEAR = 0.05
"""The colours and curves reach at least 5 % of an even share to either side, so
that noise of the start does not look like a choice."""
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
DARK, PALE, FRAME = "#202020", "#9a9a9a", "#c8c8c8"


def edge_label(edge: tuple[int, int]) -> str:
    """Formats an edge: (0, 2) -> "0→2"."""
    return f"{edge[0]}→{edge[1]}"


def row_label(spec: CellSpec, row: int) -> str:
    """Returns the label of a row of alpha: its edge, or in a chain its layer."""
    edge = spec.edges[row]
    return f"layer {edge[1]}" if spec.links else edge_label(edge)


def chosen_candidates(spec: CellSpec, cell: CellGenotype | None) -> dict[int, int]:
    """Returns row of alpha -> column for each edge that a derived cell keeps.

    Edges and operations that are not searched here are passed over; without a
    cell there are none.
    """
    if cell is None:
        return {}
    rows = {edge: row for row, edge in enumerate(spec.edges)}
    places = {}
    for target, (name, source) in zip(spec.entered(len(cell.edges)), cell.edges):
        row = rows.get((source, target))
        if row is not None and name in spec.candidates[row]:
            places[row] = spec.candidates[row].index(name)
    return places


def draw_alpha(
    space: SearchSpace,
    weights: Mapping[str, np.ndarray],
    chosen: Genotype | None = None,
) -> Figure:
    """Draws a heat map of each cell with every value, in percent, in its place.

    White is an even share, blue is more and red is less. The darkest colours
    stand for the cell's largest and smallest weight.

    Args:
      space: the space the weights belong to.
      weights: for each cell's name its mixing weights [edges, candidates]
        (softmax of alpha, eq. 2), numbers from 0 to 1.
      chosen: the genotype whose edges are framed.

    Returns:
      Rows are edges, columns candidates. Where edges have different
      candidates the names stand in the places.

    Raises:
      InputError: an unknown cell, or another shape than alpha's.
    """
    parts = check_weights(space, weights, axes=2)
    maps = [_HeatMap(spec, values) for spec, values in parts]
    axes = _page(
        sum(m.width for m in maps),
        max(m.height for m in maps),
    )
    left, top = 0.0, axes.get_ylim()[1]
    for heat_map, (spec, _) in zip(maps, parts):
        heat_map.draw(axes, left, top, chosen_candidates(spec, _cell(chosen, spec)))
        left += heat_map.width
    return cast(Figure, axes.figure)


def _cell(genotype: Genotype | None, spec: CellSpec) -> CellGenotype | None:
    return None if genotype is None else genotype.cells.get(spec.name)


def _page(width: float, height: float) -> Axes:
    """Returns axes that fill a new figure and count in inches."""
    figure = Figure((width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return axes


class _HeatMap:
    """Sizes and drawing of one cell's heat map."""

    def __init__(self, spec: CellSpec, values: np.ndarray):
        self._spec, self._values = spec, values
        self._even = 1 / spec.alpha_shape[1]
        self._title = f"{spec.title}: mixing weights, %"
        self._note = f"white: an even share, {_percent(self._even)} %; framed: kept"
        self._same = len(set(spec.candidates)) == 1
        names = spec.candidates[0] if self._same else ()
        self._names = names
        tick = max((text_width(n, NOTE_TEXT) for n in names), default=0.0)
        rows, columns = spec.alpha_shape
        labels = max(text_width(row_label(spec, r), LABEL_TEXT) for r in range(rows))
        self._column = COLUMN if self._same else self._widest_name()
        self._left = max(labels + 0.12, math.cos(SLANT) * tick - self._column / 2)
        self._below = math.sin(SLANT) * tick + 0.14 if names else 0.0
        titles = text_width(self._title, TITLE_TEXT) * BOLD
        inner = self._left + self._column * columns
        titles = max(titles, text_width(self._note, NOTE_TEXT))
        self.width = max(inner, titles) + 2 * MARGIN
        self.height = TITLE + NOTE + ROW * self._lines * rows + self._below + 2 * MARGIN

    @property
    def _lines(self) -> float:
        return 1.0 if self._same else 1.6

    def _widest_name(self) -> float:
        names = {name for edge in self._spec.candidates for name in edge}
        return max(COLUMN, max(text_width(n, SMALL_TEXT) for n in names) + 0.1)

    def _norm(self) -> TwoSlopeNorm:
        low = min(float(self._values.min()), (1 - NEAR) * self._even)
        high = max(float(self._values.max()), (1 + NEAR) * self._even)
        return TwoSlopeNorm(self._even, low, high)

    def draw(self, axes: Axes, left: float, top: float, chosen: dict) -> None:
        """Draws it with its upper left corner at (left, top)."""
        left, top = left + MARGIN, top - MARGIN
        _headings(axes, left, top, self._title, self._note)
        rows, columns = self._spec.alpha_shape
        x0, y0 = left + self._left, top - TITLE - NOTE
        row_height = ROW * self._lines
        shares = self._norm()(self._values)
        axes.imshow(
            shares,
            cmap="RdBu",
            vmin=0,
            vmax=1,
            aspect="auto",
            extent=(x0, x0 + columns * self._column, y0 - rows * row_height, y0),
        )
        axes.set(xlim=(0, axes.figure.get_figwidth()))
        axes.set(ylim=(0, axes.figure.get_figheight()))
        for (row, column), value in np.ndenumerate(self._values):
            x, y = x0 + (column + 0.5) * self._column, y0 - (row + 0.5) * row_height
            self._place(axes, x, y, row, column, value, shares[row, column])
        for row in range(rows):
            y, label = y0 - (row + 0.5) * row_height, row_label(self._spec, row)
            _text(axes, x0 - 0.06, y, label, LABEL_TEXT, ha="right")
        for column, name in enumerate(self._names):
            x, y = x0 + (column + 0.6) * self._column, y0 - rows * row_height - 0.05
            slanted = {"rotation": math.degrees(SLANT), "rotation_mode": "anchor"}
            _text(axes, x, y, name, NOTE_TEXT, ha="right", gid="tick", **slanted)
        for row, column in chosen.items():
            corner = x0 + column * self._column, y0 - (row + 1) * row_height
            size = self._column, row_height
            axes.add_patch(
                Rectangle(corner, *size, fill=False, lw=1.6, ec="black", gid="chosen")
            )

    def _place(self, axes, x, y, row, column, value, share) -> None:
        text = _percent(value)
        if not self._same:
            text = f"{self._spec.candidates[row][column]}\n{text}"
        _text(
            axes,
            x,
            y,
            text,
            NOTE_TEXT if self._same else SMALL_TEXT,
            gid="value",
            color="white" if abs(share - 0.5) > 0.33 else DARK,
        )


def _percent(share: float) -> str:
    """Formats a share as percent in at most four characters: 0.125 -> "12.5"."""
    return "100" if share >= 0.9995 else f"{100 * share:.1f}"


def _headings(axes: Axes, left: float, top: float, title: str, note: str) -> None:
    _text(
        axes,
        left,
        top,
        title,
        TITLE_TEXT,
        ha="left",
        va="top",
        weight="bold",
        gid="title",
    )
    _text(axes, left, top - TITLE, note, NOTE_TEXT, ha="left", va="top", gid="note")


def _text(axes: Axes, x: float, y: float, text: str, size: float, **look) -> None:
    usual: dict[str, Any] = {"ha": "center", "va": "center", "color": DARK}
    axes.text(x, y, text, fontsize=size, **(usual | look))


def draw_alpha_history(
    space: SearchSpace,
    history: Mapping[str, np.ndarray],
    chosen: Genotype | None = None,
) -> Figure:
    """Draws curves of the mixing weights, one small chart for each edge.

    Args:
      space: the space the weights belong to.
      history: for each cell's name [T, edges, candidates], T epochs.
      chosen: the genotype whose edges are framed and whose operations are
        drawn thick and named.

    Returns:
      Each cell is a triangle: a row for each node, a column for each
      predecessor; the layers of a chain stand in rows of LAYERS_ABREAST. All
      charts of a cell have the same axes.

    Raises:
      InputError: an unknown cell, or another shape than alpha's.
    """
    parts = check_weights(space, history, axes=3)
    names = [n for spec, _ in parts for edge in spec.candidates for n in edge]
    looks = _Looks.of(list(dict.fromkeys(names)))
    charts = [_Charts(spec, values, looks) for spec, values in parts]
    width = max(max(c.width for c in charts), looks.widest + 2 * MARGIN)
    corner = charts[0].free_corner(looks.column, width)
    below = looks.height(width) if corner is None else 0.0
    axes = _page(width, sum(c.height for c in charts) + below + MARGIN)
    top = axes.get_ylim()[1]
    if corner is not None:
        looks.draw(axes, corner[0], top - corner[1], 1)
    for chart, (spec, _) in zip(charts, parts):
        chart.draw(axes, top, chosen_candidates(spec, _cell(chosen, spec)))
        top -= chart.height
    if corner is None:
        looks.draw(axes, MARGIN, top, looks.across(width))
    return cast(Figure, axes.figure)


@dataclasses.dataclass(frozen=True)
class _Looks:
    """The colour and the line style of each operation, and their legend."""

    names: Sequence[str]
    colours: Mapping[str, str]
    styles: Mapping[str, str]

    @classmethod
    def of(cls, names: Sequence[str]) -> _Looks:
        return cls(names, colours_of(names, PALETTE), styles_of(names, PALETTE))

    @property
    def widest(self) -> float:
        """Returns the width of the longest entry."""
        longest = max(text_width(name, LABEL_TEXT) for name in self.names)
        return longest + KEY_LINE + 0.2

    @property
    def column(self) -> tuple[float, float]:
        """Returns (width, height) of a legend with an entry a line."""
        return self.widest, KEY * len(self.names)

    def across(self, width: float) -> int:
        """Returns the number of entries a line in a picture of this width."""
        fitting = int((width - 2 * MARGIN) / self.widest)
        return max(1, min(len(self.names), fitting))

    def height(self, width: float) -> float:
        """Returns the height of the legend below a picture of this width."""
        return KEY * -(-len(self.names) // self.across(width))

    def draw(self, axes: Axes, left: float, top: float, across: int) -> None:
        """Draws the legend with its upper left corner at (left, top)."""
        for number, name in enumerate(self.names):
            line, place = divmod(number, across)
            x, y = left + place * self.widest, top - (line + 0.5) * KEY
            ends = [x, x + KEY_LINE - 0.08], [y, y]
            axes.add_line(self.line(*ends, name, lw=2.5, gid="legend"))
            x += KEY_LINE
            _text(axes, x, y, name, LABEL_TEXT, ha="left", gid="legend")

    def line(self, x, y, name: str, **look) -> Line2D:
        """Returns a line in the look of an operation."""
        usual: dict[str, Any] = {
            "color": self.colours[name],
            "linestyle": self.styles[name],
        }
        return Line2D(x, y, **(usual | look))


class _Charts:
    """Sizes and drawing of one cell's charts."""

    def __init__(self, spec: CellSpec, values: np.ndarray, looks: _Looks):
        self._spec, self._values, self._looks = spec, values, looks
        even = self._even = 1 / spec.alpha_shape[1]
        self._low = min(float(values.min(initial=even)), (1 - NEAR) * even)
        self._high = max(float(values.max(initial=even)), (1 + NEAR) * even)
        epochs = f"epochs 1 to {len(values)}" if len(values) > 1 else "epoch 1"
        rows = range(len(spec.edges))
        self._title = f"{spec.title}: mixing weights by epoch"
        self._note = (
            f"{epochs}; {_percent(self._low)} to {_percent(self._high)} %; "
            f"dotted: an even share, {_percent(even)} %\n"
            + ("thick: chosen" if spec.links else KEPT)
        )
        self._places = [(s, t - spec.inputs) for s, t in spec.edges]
        if spec.links:
            self._places = [(r % LAYERS_ABREAST, r // LAYERS_ABREAST) for r in rows]
        columns, self._lines = (max(axis) + 1 for axis in zip(*self._places))
        self.width = (
            max(
                LEFT + columns * (PANEL_WIDTH + GAP),
                text_width(self._title, TITLE_TEXT) * BOLD,
                text_width(self._note, NOTE_TEXT),
            )
            + 2 * MARGIN
        )
        charts = self._lines * (HEAD + PANEL_HEIGHT)
        self._top = MARGIN + TITLE + 2 * NOTE  # of the charts, below the cell's
        self.height = self._top + charts + BELOW + GAP

    def draw(self, axes: Axes, top: float, chosen: dict[int, int]) -> None:
        """Draws the cell below `top`."""
        _headings(axes, MARGIN, top - MARGIN, self._title, self._note)
        first = top - self._top
        for row, (column, line) in enumerate(self._places):
            x = MARGIN + LEFT + column * (PANEL_WIDTH + GAP)
            y = first - (line + 1) * (HEAD + PANEL_HEIGHT)
            self._chart(axes, x, y, row, chosen.get(row))
            if column == 0:
                self._numbers(axes, x, y, line == self._lines - 1)

    def free_corner(
        self, size: tuple[float, float], width: float
    ) -> tuple[float, float] | None:
        """Returns where in the picture's upper right corner a thing has room.

        Args:
          size: (width, height) of the thing.
          width: of the picture.

        Returns:
          (left, distance from the top); None where there is no room.
        """
        lines = math.ceil(size[1] / (HEAD + PANEL_HEIGHT))
        charts = self._spec.inputs + lines - 1  # in the lowest of these lines
        left = MARGIN + LEFT + charts * (PANEL_WIDTH + GAP) + GAP
        full = self._spec.links or lines >= self._spec.nodes
        if full or left + size[0] > width:
            return None
        return left, self._top

    def _numbers(self, axes, x: float, y: float, last: bool) -> None:
        for share, height in ((self._low, 0.05), (self._high, PANEL_HEIGHT - 0.05)):
            place = x - 0.04, y + height
            _text(axes, *place, _percent(share), SMALL_TEXT, ha="right")
        if last:
            below = {"va": "top", "ha": "left"}
            _text(axes, x, y - 0.03, "1", SMALL_TEXT, **below)
            if len(self._values) > 1:
                ends = x + PANEL_WIDTH, y - 0.03
                below["ha"] = "right"
                _text(axes, *ends, str(len(self._values)), SMALL_TEXT, **below)

    def _chart(self, axes, x, y, row: int, kept: int | None) -> None:
        """Draws the chart of one edge with its lower left corner at (x, y)."""
        names, edge = self._spec.candidates[row], row_label(self._spec, row)
        self._frame(axes, x, y, edge, None if kept is None else names[kept])
        order = [c for c in range(len(names)) if c != kept]
        for column in [*order, *([] if kept is None else [kept])]:
            self._curve(axes, x, y, row, column, column == kept)

    def _frame(self, axes, x, y, edge: str, name: str | None) -> None:
        colour = FRAME if name is None else self._looks.colours[name]
        box = {"fill": False, "ec": colour, "lw": 0.8 if name is None else 2.0}
        gid = "edge" if name is None else "chosen edge"
        axes.add_patch(Rectangle((x, y), PANEL_WIDTH, PANEL_HEIGHT, gid=gid, **box))
        even = y + self._height(self._even)
        level = [x, x + PANEL_WIDTH], [even, even]
        axes.add_line(Line2D(*level, color=PALE, lw=0.7, linestyle=":"))
        head = y + PANEL_HEIGHT + 0.025
        weight = "normal" if name is None else "bold"
        look = {"ha": "left", "va": "bottom", "weight": weight, "gid": "edge"}
        _text(axes, x, head, edge, NOTE_TEXT, **look)
        free = PANEL_WIDTH - text_width(edge, NOTE_TEXT) * BOLD - 0.05
        if name is not None and text_width(name, SMALL_TEXT) <= free:
            right = {"ha": "right", "va": "bottom", "gid": "chosen"}
            _text(axes, x + PANEL_WIDTH, head, name, SMALL_TEXT, **right)

    def _height(self, share):
        """Returns the height in a chart at which a weight is drawn."""
        return PANEL_HEIGHT * (share - self._low) / (self._high - self._low)

    def _curve(self, axes, x, y, row: int, column: int, thick: bool) -> None:
        values, name = self._values[:, row, column], self._spec.candidates[row][column]
        along = np.linspace(0, PANEL_WIDTH, len(values))
        if len(values) == 1:  # a line through one point would show nothing
            along += PANEL_WIDTH / 2
        line = self._looks.line(
            x + along,
            y + self._height(values),
            name,
            lw=2.4 if thick else 1.1,
            marker="." if len(values) == 1 else None,
            gid=f"{row_label(self._spec, row)} {name}",
            solid_capstyle="butt",
        )
        axes.add_line(line)


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
