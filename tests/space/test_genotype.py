from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.errors import InputError
from darts_tf.space.cell import ZERO
from darts_tf.space.conv import SPACE
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL

NAMES = [name for name in SPACE.operations if name != ZERO]
GOOD = CONVOLUTIONAL["DARTS_V2"].to_json()


@st.composite
def cells(draw):
    nodes = draw(st.integers(1, 6))
    edges = tuple(
        (draw(st.sampled_from(NAMES)), draw(st.integers(0, 1 + node)))
        for node in range(nodes)
        for _ in range(2)
    )
    inner = st.sampled_from(range(2, 2 + nodes))
    concat = draw(st.lists(inner, min_size=1, unique=True))
    return CellGenotype(edges, tuple(concat))


@settings(max_examples=40, deadline=None)
@given(normal=cells(), reduce=cells())
def test_json_round_trip(normal, reduce):
    given = Genotype("darts_conv", {"reduce": reduce, "normal": normal})
    back = Genotype.from_json(given.to_json())
    assert back == given and hash(back) == hash(given)
    assert list(back.cells) == ["normal", "reduce"]


@settings(max_examples=40, deadline=None)
@given(length=st.integers(0, len(GOOD.rstrip()) - 1))
def test_truncated_anywhere(length):
    refused(GOOD[:length])


def refused(text: str) -> str:
    with pytest.raises(InputError) as caught:
        Genotype.from_json(text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def changed(key: str, value) -> str:
    data = json.loads(GOOD)
    if value is None:
        del data[key]
    else:
        data[key] = value
    return json.dumps(data)


def with_edge(index: int, edge) -> str:
    edges = json.loads(GOOD)["normal"]
    edges[index] = edge
    return changed("normal", edges)


EDGES = json.loads(GOOD)["normal"]
BAD = {
    "not JSON": ("Genotype(normal=[])", ["JSON"]),
    "several lines": ("{\n\n\n]", ["JSON"]),
    "a list": ("[]", ["space"]),
    "no space": (changed("space", None), ["space"]),
    "unknown space": (changed("space", "darts_cnv"), ["darts_cnv", "mean darts_conv?"]),
    "space is a number": (changed("space", 3), ["unknown space 3"]),
    "space is a list": (changed("space", ["darts_conv"]), ["space"]),
    "missing key": (changed("reduce", None), ["missing: reduce;"]),
    "unknown key": (changed("reduction", []), ["unknown: reduction"]),
    "unknown operation": (
        with_edge(0, ["sep_conv_3x4", 0]),
        ["normal", "sep_conv_3x4", "mean sep_conv_3x3?", "dil_conv_5x5"],
    ),
    "zero operation": (with_edge(3, ["none", 0]), ["normal", "'none'"]),
    "not yet computed": (
        with_edge(2, ["skip_connect", 3]),
        ["edge 2", "node 3", "0..2"],
    ),
    "negative": (with_edge(0, ["skip_connect", -1]), ["edge 0", "-1"]),
    "boolean": (with_edge(0, ["skip_connect", True]), ["predecessor"]),
    "fraction": (with_edge(0, ["skip_connect", 1.0]), ["predecessor"]),
    "a triple": (with_edge(0, ["skip_connect", 0, 1]), ["predecessor"]),
    "edges no list": (changed("normal", "sep_conv_3x3"), ["normal"]),
    "odd number of edges": (changed("normal", EDGES[:7]), ["received 7"]),
    "no edges": (changed("normal", []), ["received 0"]),
    "concat of a node not there": (
        changed("normal_concat", [2, 6]),
        ["2..5", "[2, 6]"],
    ),
    "concat of an input": (changed("reduce_concat", [1, 2]), ["reduce"]),
    "concat twice": (changed("normal_concat", [2, 2]), ["distinct"]),
    "concat empty": (changed("normal_concat", []), ["concat"]),
    "concat no list": (changed("normal_concat", 5), ["concat"]),
    "concat too long": (changed("normal", EDGES[:6]), ["concat", "6 edges"]),
}


@pytest.mark.parametrize("text, parts", BAD.values(), ids=BAD)
def test_bad_genotype(text, parts):
    message = refused(text)
    for part in parts:
        assert part in message


def test_cells_of_a_genotype_cannot_be_changed():
    with pytest.raises(TypeError):
        CONVOLUTIONAL["DARTS_V1"].cells["normal"] = None


def test_count():
    assert CONVOLUTIONAL["DARTS_V2"].count("skip_connect", "normal") == 2
