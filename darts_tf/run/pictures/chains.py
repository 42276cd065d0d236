"""Draws a chain as a row of blocks: kernels, expansions, strides, channels."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from darts_tf.space.cell import IDENTITY
from darts_tf.space.chain import BLOCKS, STEM_STRIDE, ChainSpace
from darts_tf.space.genotype import Genotype

DPI = 110
MARGIN, TITLE, NOTES = 0.2, 0.4, 0.55  # inches, like all sizes below
WIDTH, GAP, STAGE_GAP = 0.46, 0.08, 0.2  # of blocks, between blocks and stages
HEIGHT, UNIT = 0.35, 0.1  # of a block, and more for each unit of expansion
TALLEST = HEIGHT + 6 * UNIT
TEXT, NOTE_TEXT, TITLE_TEXT = 9, 8, 12  # points
FILLS = {3: "#cfe2f7", 5: "#d3ead0", 7: "#f3c9b5"}  # by kernel
FIXED, SKIPPED, DARK = "#ececec", "#9a9a9a", "#303030"


def draw_chain(space: ChainSpace, genotype: Genotype) -> Figure:
    """Draws the layers from left to right, from the images to the classifier.

    A block carries its kernel and its expansion, its colour is that of the kernel
    and its height grows with the expansion; a skipped layer is a dashed outline,
    what is not searched is grey. Below each stage stand its channels, at a width
    multiplier of 1, and its stride on large images.
    """
    groups = [
        ([("3x3", 0)], f"{space.stem} channels", STEM_STRIDE),
        ([("3x3\ne1", 1)], f"{space.block}", 1),
        *(
            ([*map(_block, names)], str(stage.channels), stage.stride)
            for names, stage in zip(space.by_stage(genotype.cells), space.stages)
        ),
        ([("1x1", 0)], f"{space.head}", 1),
    ]
    count = sum(len(blocks) for blocks, _, _ in groups)
    width = 2 * MARGIN + count * (WIDTH + GAP) + len(groups) * STAGE_GAP
    height = 2 * MARGIN + TITLE + TALLEST + NOTES
    figure = Figure((width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()  # one unit of the axes is one inch
    names = [name for stage in space.by_stage(genotype.cells) for name in stage]
    kept = sum(name != IDENTITY for name in names)
    title = f"{space.name}: {kept} of {len(names)} layers"
    look = {"va": "top", "fontsize": TITLE_TEXT, "weight": "bold", "gid": "title"}
    axes.text(MARGIN, height - MARGIN, title, **look)
    left, low = MARGIN, MARGIN + NOTES
    for blocks, channels, stride in groups:
        start = left
        for text, expansion in blocks:
            _draw_block(axes, left, low, text, expansion)
            left += WIDTH + GAP
        note = channels + (f"\nstride {stride}" if stride > 1 else "")
        middle = (start + left - GAP) / 2
        look = {"ha": "center", "va": "top", "fontsize": NOTE_TEXT, "color": DARK}
        axes.text(middle, low - 0.1, note, gid="stage", **look)
        left += STAGE_GAP
    return figure


def _block(name: str) -> tuple[str, int]:
    """Returns the text of an operation and its expansion, -1 for a skipped layer."""
    if name == IDENTITY:
        return "skip", -1
    kernel, expansion = BLOCKS[name]
    return f"{kernel}x{kernel}\ne{expansion}", expansion


def _draw_block(axes, left: float, low: float, text: str, expansion: int) -> None:
    height = HEIGHT + UNIT * max(expansion, 0)
    fill = FILLS[int(text[0])] if expansion > 1 else FIXED
    skipped = expansion < 0
    axes.add_patch(
        FancyBboxPatch(
            (left, low),
            WIDTH,
            height,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="none" if skipped else fill,
            edgecolor=SKIPPED if skipped else DARK,
            linestyle="--" if skipped else "-",
            gid="skipped" if skipped else "block",
        )
    )
    middle = left + WIDTH / 2, low + height / 2
    colour = SKIPPED if skipped else DARK
    look = {"ha": "center", "va": "center", "fontsize": TEXT, "color": colour}
    axes.text(*middle, text, gid="label", **look)
