"""Sizes, colours and line styles of labels, for names of any operation."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

from matplotlib.textpath import TextPath

LineStyle = Literal["-", "--", ":", "-."]
STYLES: tuple[LineStyle, ...] = ("-", "--", ":", "-.")


@functools.lru_cache(maxsize=1024)
def text_width(text: str, points: float) -> float:
    """Returns the width in inches of a text in a font of `points`."""
    if not text:
        return 0.0
    return TextPath((0, 0), text, size=points).get_extents().width / 72


def colours_of(names: Sequence[str], palette: Sequence[str]) -> dict[str, str]:
    """Returns a colour for each name, by its place among the names."""
    return {name: palette[i % len(palette)] for i, name in enumerate(names)}


def styles_of(names: Sequence[str], palette: Sequence[str]) -> dict[str, LineStyle]:
    """Returns a line style for each name; it tells apart names of one colour."""
    return {
        name: STYLES[i // len(palette) % len(STYLES)] for i, name in enumerate(names)
    }
