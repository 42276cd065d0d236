"""Collapsed cells and others: examples by hand."""

from __future__ import annotations

import pytest

from darts_tf.space import conv, recurrent
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT
from darts_tf.strategy.diagnostics.collapse import collapse, counts, main_cell, working

BENCH = CellSpec(
    "cell",
    1,
    3,
    (("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"),) * 6,
    None,
    (3,),
    zero_kept=True,
)
BENCH_SPACE = SearchSpace("bench", (BENCH,), BENCH.candidates[0])
NOISY = SearchSpace("noisy", conv.SPACE.cells, (*conv.CANDIDATES, "noise"))


class Found:
    """The part of a genotype that is looked at: its space may be unknown."""

    def __init__(self, **cells):
        self.cells = cells


def normal(text: str) -> CellGenotype:
    """Returns a cell of eight edges, all from the inputs."""
    names = {
        "s": "skip_connect",
        "c": "sep_conv_3x3",
        "p": "max_pool_3x3",
        "n": "noise",
    }
    edges = [(names[letter], place % 2) for place, letter in enumerate(text)]
    return CellGenotype(tuple(edges), (2, 3, 4, 5))


def bench(text: str) -> CellGenotype:
    """Returns a cell with operations on the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""
    names = {
        "0": "none",
        "s": "skip_connect",
        "c": "nor_conv_3x3",
        "1": "nor_conv_1x1",
        "p": "avg_pool_3x3",
    }
    sources = (0, 0, 1, 0, 1, 2)
    return CellGenotype(
        tuple((names[x], i) for x, i in zip(text, sources, strict=True)), (3,)
    )


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_no_published_cell_has_collapsed(name):
    assert collapse(conv.SPACE, CONVOLUTIONAL[name]) == ""


def test_reduction_cells_are_not_looked_at():
    reduce = normal("ssssssss")
    good = Genotype("darts_conv", {"normal": normal("cccccccc"), "reduce": reduce})
    assert collapse(conv.SPACE, good) == ""


@pytest.mark.parametrize(
    "text, reason",
    [
        ("scscsccc", ""),
        ("scscscsc", "4 of the 8 edges of the normal cell are skip connections"),
        (
            "ssssssss",
            "the normal cell has no operation with weights between "
            "its inputs and its output",
        ),
        (
            "pppppppp",
            "the normal cell has no operation with weights between "
            "its inputs and its output",
        ),
        ("cppppppp", ""),
        ("cssppppp", ""),
    ],
)
def test_half_skip_connections_or_no_weights(text, reason):
    numbers = Genotype(
        "darts_conv", {"normal": normal(text), "reduce": normal("cccccccc")}
    )
    assert collapse(conv.SPACE, numbers) == reason


@pytest.mark.parametrize(
    "text, reason",
    [
        ("ncncnccc", ""),
        ("ncncnccn", "4 of the 8 edges of the normal cell are noise"),
        (
            "ncscnccn",
            "4 of the 8 edges of the normal cell are skip connections or noise",
        ),
    ],
)
def test_noise_counts_as_skip_connections_do(text, reason):
    assert collapse(NOISY, Found(normal=normal(text))) == reason


@pytest.mark.parametrize(
    "text, collapsed",
    [
        ("ssssss", True),  # what DARTS ends in on NAS-Bench-201
        ("000000", True),
        ("cssssp", False),  # 0-1 by a convolution, 1-3 by a skip
        ("c0s000", True),  # the convolution's way ends in node 2
        ("c0s00s", False),
        ("0c000s", False),
        ("00c00c", True),  # nothing enters node 1
        ("sss1ss", False),
        ("pppppp", True),
    ],
)
def test_where_all_edges_are_kept_paths_decide(text, collapsed):
    assert bool(collapse(BENCH_SPACE, Found(cell=bench(text)))) is collapsed


def test_working_edges_reach_from_input_to_output():
    assert working(BENCH, bench("c10s00")) == ["skip_connect"]
    assert working(BENCH, bench("cs1spp")) == [
        "nor_conv_3x3",
        "skip_connect",
        "nor_conv_1x1",
        "skip_connect",
        "avg_pool_3x3",
        "avg_pool_3x3",
    ]


def test_counts_of_skip_connections_and_noise():
    genotype = Genotype(
        "darts_conv", {"normal": normal("scscscsc"), "reduce": normal("ssccpppp")}
    )
    numbers = {"skip_connections/normal": 4, "skip_connections/reduce": 2}
    assert counts(conv.SPACE, genotype) == numbers | {"collapsed/normal": 1}
    assert counts(NOISY, genotype) == numbers | {
        "noise/normal": 0,
        "noise/reduce": 0,
        "collapsed/normal": 1,
    }
    good = counts(conv.SPACE, CONVOLUTIONAL["DARTS_V2"])
    assert good == {
        "skip_connections/normal": 2,
        "skip_connections/reduce": 3,
        "collapsed/normal": 0,
    }


def test_recurrent_cells_raise_no_alarm():
    assert collapse(recurrent.SPACE, RECURRENT["DARTS_V2"]) == ""


def test_main_cell():
    assert main_cell(conv.SPACE).name == "normal"
    assert main_cell(BENCH_SPACE) is BENCH
