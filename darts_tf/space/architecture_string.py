"""The architecture strings of NAS-Bench-201.

    |nor_conv_3x3~0|+|none~0|skip_connect~1|+|...~0|...~1|...~2|

Nodes are joined by "+"; each lists its edges as |operation~predecessor|.
"""

from __future__ import annotations

from darts_tf.errors import InputError
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import CELL, SPACE

EXAMPLE = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+"
    "|none~0|avg_pool_3x3~1|nor_conv_1x1~2|"
)


def is_string(text: str) -> bool:
    """Whether this is meant as an architecture string."""
    return text.strip().startswith("|")


def to_string(genotype: Genotype) -> str:
    """The architecture string of a genotype of space "nasbench201"."""
    spec, cell = SPACE.cell(CELL), genotype.cells[CELL]
    nodes: dict[int, str] = {}
    for target, (name, source) in zip(
        spec.entered(len(cell.edges)), cell.edges
    ):
        nodes[target] = nodes.get(target, "|") + f"{name}~{source}|"
    return "+".join(nodes.values())


def from_string(text: str) -> Genotype:
    """The genotype that an architecture string stands for.

    Raises:
      InputError: not of this form, or no cell of the space.
    """
    spec = SPACE.cell(CELL)
    edges = []
    for node, part in enumerate(text.strip().split("+"), spec.inputs):
        if len(part) < 2 or part[0] != "|" or part[-1] != "|":
            raise _malformed(text)
        found = [_edge(text, word) for word in part[1:-1].split("|")]
        if node >= spec.inputs + spec.nodes or len(found) != node:
            raise _malformed(text)
        edges += found
    if len(edges) != len(spec.edges):
        raise _malformed(text)
    try:
        cell = CellGenotype(tuple(edges), spec.concat)
        return Genotype(SPACE.name, {CELL: cell})
    except InputError as error:
        raise InputError(f"architecture {_shown(text)}: {error}") from None


def _edge(text: str, word: str) -> tuple[str, int]:
    name, tilde, source = word.partition("~")
    if not (tilde and source.isascii() and source.isdigit()):
        raise _malformed(text)
    return name, int(source[:9])


def _malformed(text: str) -> InputError:
    return InputError(
        f"architecture {_shown(text)} has not the form of NAS-Bench-201: "
        f"three nodes joined by '+', with one, two and three edges "
        f"|operation~predecessor|, for example {EXAMPLE}"
    )


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 150 else f"{text[:147]}...")
