from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darts_tf.errors import InputError
from darts_tf.space.architecture_string import (
    EXAMPLE,
    every_string,
    from_string,
    to_string,
)
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.nasbench201 import CANDIDATES, SPACE
from darts_tf.space.published import load_genotype

TEXT = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
EDGES = (
    ("nor_conv_3x3", 0),
    ("none", 0),
    ("skip_connect", 1),
    ("avg_pool_3x3", 0),
    ("nor_conv_1x1", 1),
    ("none", 2),
)


def test_a_string_is_its_genotype():
    genotype = Genotype("nasbench201", {"cell": CellGenotype(EDGES, (3,))})
    assert from_string(TEXT) == from_string(f" {TEXT}\n") == genotype
    assert to_string(genotype) == TEXT
    assert Genotype.from_json(genotype.to_json()) == genotype


@given(st.tuples(*[st.sampled_from(CANDIDATES)] * 6))
def test_there_and_back(names):
    edges = tuple(zip(names, (s for s, _ in SPACE.cells[0].edges)))
    genotype = Genotype("nasbench201", {"cell": CellGenotype(edges, (3,))})
    assert from_string(to_string(genotype)) == genotype


def test_every_string_once():
    every = list(every_string())
    assert len(every) == len(set(every)) == 15_625
    assert {TEXT, EXAMPLE} < set(every)


@pytest.mark.parametrize(
    "text, word",
    [
        ("|none~0|", "has not the form"),
        (TEXT.replace("~2", "~1"), "has not the form"),
        (TEXT + "+|none~0|none~1|none~2|none~3|", "has not the form"),
        (TEXT.replace("none~0", "none"), "has not the form"),
        (TEXT.replace("nor_conv_3x3", "nor_conv_3x2"), "mean nor_conv_"),
        (TEXT.replace("none", "sep_conv_3x3"), "'sep_conv_3x3'"),
        (TEXT.replace("none", ""), "''"),
        ("|" * 100_000, "..."),
    ],
)
def test_refused_in_one_line(text, word):
    with pytest.raises(InputError) as caught:
        load_genotype(text, "nasbench201")
    message = str(caught.value)
    assert word in message and len(message.splitlines()) == 1
    assert len(message) < 500


def test_a_flag_takes_a_string_in_its_space_only():
    assert load_genotype(TEXT, "nasbench201") == from_string(TEXT)
    with pytest.raises(InputError, match="`space=nasbench201`"):
        load_genotype(TEXT, "darts_conv")
    with pytest.raises(InputError, match="an architecture, .nor_conv"):
        load_genotype("DARTS_V9", "nasbench201")
    with pytest.raises(InputError, match="published in darts_conv"):
        load_genotype("DARTS_V2", "nasbench201")
