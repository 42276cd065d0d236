"""Flags of a search network's size, the same in every benchmark.

Imports no TensorFlow: benchmarks that start others read them too.
"""

from __future__ import annotations

from absl import flags


def define_sizes(
    channels: int = 16,
    layers: int = 8,
    hidden_size: int = 300,
    words: int = 10000,
) -> None:
    """Defines the flags with these defaults, the paper's; --bptt has 35."""
    for name, usual, least, what in (
        ("channels", channels, 1, "images only"),
        ("layers", layers, 3, "images only: cells"),
        ("hidden_size", hidden_size, 1, "recurrent only"),
        ("words", words, 2, "recurrent only: of the vocabulary"),
        ("bptt", 35, 1, "recurrent only: words of a window"),
    ):
        flags.DEFINE_integer(name, usual, what, lower_bound=least)
