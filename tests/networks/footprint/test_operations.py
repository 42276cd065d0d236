"""Elements that an edge and a cell hold, against hand counts."""

from __future__ import annotations

from darts_tf.networks.footprint.operations import Held, Size, mixed_cell, mixed_edges
from darts_tf.space.cell import CellSpec


def test_an_edge_by_hand():
    """Four pixels, two channels; weights of a separable convolution."""
    names, size = ("none", "skip_connect", "sep_conv_3x3"), Size((2, 2))
    held = mixed_edges([names], size, 2, 1, pool_norms=True)
    # The node and its ReLU; five maps within the convolution.
    assert held == Held(2 * (9 * 2 + 2 * 2), (2 + 5) * 8, 2 * 8)
    # Half of the channels by-pass, one map of one channel.
    held = mixed_edges([names], size, 2, 1, True, groups=2)
    assert held == Held(2 * (9 + 1), (2 + 5) * 4 + 4, 2 * 4)


def test_a_cell_by_hand():
    spec = CellSpec("normal", 2, 1, (("none", "max_pool_3x3"),) * 2, 2, (2,))
    held = mixed_cell(spec, Size((3, 3)), 2, 2, pool_norms=True)
    # Of each input: ReLU, padded by 1 on each side, pooled, normalised.
    assert held == Held(0, 2 * (18 + 50 + 8 + 8), 2 * 8)
