"""What a language model holds in memory, from its sizes alone.

Counted are weights, and the elements of the tensors that a forward pass keeps
for the backward one, for one sequence of T words: what the loop over time
keeps at each word (a list for each tensor), and what stands around the loop.
tests/networks/footprint/test_text.py holds the first to the loop's graph.
"""

from __future__ import annotations

import dataclasses

from darts_tf.space.cell import ZERO, CellSpec
from darts_tf.space.genotype import CellGenotype

AROUND = 5
"""Multiples of H that are kept for a word outside the loop: the cell's masked
input, what it gives (2 H) the loop, the loop's output and the masked one."""

SCORES = 2
"""Multiples of V for a word: scores, and the derivative of their loss."""

IDENTITY = "identity"


@dataclasses.dataclass(frozen=True)
class TextFootprint:
    """Elements that a language model holds.

    Attributes:
      weights: its parameters; the embedding is the decoder too.
      window: kept for one sequence, from the forward pass to the backward.
      operations: number of operations on edges.
    """

    weights: int
    window: int
    operations: int

    def kept(self) -> int:
        """Elements there at once for one sequence, at the most."""
        return self.window


def search(spec: CellSpec, hidden_size: int, words: int, bptt: int) -> TextFootprint:
    """The search network around networks.recurrent.MixedCell.

    Args:
      spec: of the cell.
      hidden_size: H.
      words: V, of the vocabulary.
      bptt: T, words of a window.
    """
    per_word = mixed_cell(spec)
    operations = sum(map(len, spec.candidates))
    return _model(per_word, operations, spec.nodes, hidden_size, words, bptt)


def training(
    cell: CellGenotype, hidden_size: int, words: int, bptt: int
) -> TextFootprint:
    """The network around networks.recurrent.DerivedCell; as `search`."""
    nodes = len(cell.edges)
    return _model(derived_cell(cell), nodes, nodes, hidden_size, words, bptt)


def mixed_cell(spec: CellSpec) -> int:
    """Multiples of H that the search's loop keeps at each word.

    Of an edge: its node, masked and not, what each operation gives, the gate
    sigmoid(c), and the sums over operations, as a difference. Of each node
    batch norm's centred input. The first node: `entering_node`; the mean of
    the output nodes, and the output.
    """
    edges = sum(4 + len([n for n in names if n != ZERO]) for names in spec.candidates)
    return edges + spec.nodes + spec.inputs + entering_node() + 2


def derived_cell(cell: CellGenotype) -> int:
    """Multiples of H that a derived cell's loop keeps at each word.

    Of a searched node: the masked predecessor, the gate, f(z) - s, and f(z)
    unless f is the identity; each node that is a predecessor, once.
    """
    own = sum(3 + (name != IDENTITY) for name, _ in cell.edges)
    sources = {source for _, source in cell.edges}
    return own + len(sources) + entering_node() + 2


def entering_node() -> int:
    """Of node 0: the state before, masked and not, gate, tanh, difference."""
    return 5


def _model(
    per_word: int,
    operations: int,
    nodes: int,
    hidden_size: int,
    words: int,
    bptt: int,
) -> TextFootprint:
    """Embedding [V, H], bias [V], first matrix [2 H, 2 H], maps [H, 2 H]."""
    weights = words * (hidden_size + 1)
    weights += (4 + 2 * nodes) * hidden_size**2
    elements = (per_word + AROUND) * hidden_size + SCORES * words
    return TextFootprint(weights, bptt * elements, operations)
