"""Reads and writes the architecture strings of NAS-Bench-201.

    |nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|

Nodes are joined by "+"; each lists its edges as |operation~predecessor|.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from darts_tf.errors import InputError
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import CANDIDATES, CELL, EDGES, SPACE

FORM = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"
EXAMPLE = FORM.format(*CANDIDATES[2:4] * 2, *CANDIDATES[:2])

_PATTERN = re.compile(re.escape(FORM).replace(r"\{\}", "([^|~+]*)"))


def is_string(text: str) -> bool:
    """Returns True if the text is meant as an architecture string."""
    return text.strip().startswith("|")


def to_string(genotype: Genotype) -> str:
    """Returns the architecture string of a genotype of space "nasbench201"."""
    return FORM.format(*(name for name, _ in genotype.cells[CELL].edges))


def from_string(text: str) -> Genotype:
    """Returns the genotype that an architecture string stands for.

    Raises:
      InputError: not of this form, or no cell of the space.
    """
    quoted = repr(text if len(text) <= 150 else f"{text[:147]}...")
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"architecture {quoted} has not the form of NAS-Bench-201, "
            f"|operation~predecessor| for each edge, for example {EXAMPLE}"
        )
    spec = SPACE.cell(CELL)
    sources = (source for source, _ in spec.edges)
    cell = CellGenotype(tuple(zip(match.groups(), sources)), spec.concat)
    try:
        return Genotype(SPACE.name, {CELL: cell})
    except InputError as error:
        raise InputError(f"architecture {quoted}: {error}") from None


def every_string() -> Iterator[str]:
    """Yields all 15,625 architecture strings."""
    for names in itertools.product(CANDIDATES, repeat=EDGES):
        yield FORM.format(*names)
