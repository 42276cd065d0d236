"""Registering spaces, and genotypes that carry a definition of theirs."""

from __future__ import annotations

import dataclasses
import json

import pytest

from darts_tf.errors import InputError
from darts_tf.space import conv, operation_names, registry
from darts_tf.space.decisions import decide, decisions
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import SPACES, cell_space, register_space, space_by_name

OPERATIONS = ["own_conv", "sep_conv_3x3", "skip_connect", "none"]


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Registers "own_conv", and leaves all registries as they were."""
    monkeypatch.setattr(operation_names, "registered", {"own_conv"})
    monkeypatch.setattr(registry, "_carried", {})
    for name in {"mine", "other"} & set(SPACES):
        monkeypatch.delitem(SPACES, name)
    yield
    for name in {"mine", "other"} & set(SPACES):
        del SPACES[name]


def refused(*words):
    pattern = ".*".join(words)
    return pytest.raises(InputError, match=f"^[^\n]*{pattern}[^\n]*$")


def test_a_space_of_own_operations():
    space = cell_space("mine", nodes=3, operations=OPERATIONS)
    assert space_by_name("mine") is space
    assert [spec.name for spec in space.cells] == ["normal", "reduce"]
    assert space.cell("normal").alpha_shape == (2 + 3 + 4, 4)
    assert space.cell("reduce").concat == (2, 3, 4)
    same = cell_space("mine", nodes=3, operations=tuple(OPERATIONS))
    assert same == space
    names = {n for d in decisions("mine") for n in d.options if isinstance(n, str)}
    assert names == {"own_conv", "sep_conv_3x3", "skip_connect"}


def test_the_candidates_of_darts_give_its_space():
    space = cell_space("mine", nodes=4, operations=conv.CANDIDATES)
    assert space.cells == conv.SPACE.cells


def test_a_space_can_be_replaced():
    cell_space("mine", nodes=3, operations=OPERATIONS)
    before = decisions("mine")
    with refused("'mine' exists already", "`replace=True`"):
        cell_space("mine", nodes=2, operations=OPERATIONS)
    cell_space("mine", nodes=2, operations=OPERATIONS, replace=True)
    assert len(decisions("mine")) < len(before)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"name": "darts_conv"}, ("'darts_conv' exists",)),
        ({"name": "My space"}, ("'My space'", "lower-case")),
        ({"name": "darts_conv", "replace": True}, ("exists",)),
        ({"nodes": 0}, ("`nodes`", "from 1 to 100", "0")),
        ({"nodes": 10**7}, ("`nodes`", "from 1 to 100")),
        ({"operations": 7}, ("`operations`", "7")),
        ({"operations": {"none": 1}}, ("`operations`", "list of names")),
        ({"nodes": 2.0}, ("`nodes`", "2.0")),
        ({"operations": []}, ("distinct", "none")),
        ({"operations": ["none"]}, ("one of them not 'none'",)),
        ({"operations": ["own_conv", "own_conv"]}, ("distinct",)),
        ({"operations": "own_conv"}, ("list of names", "own_conv")),
        ({"operations": ["no_such", "own_conv"]}, ("'no_such'", "register_operation")),
        ({"operations": ["tanh", "own_conv"]}, ("tanh", "recurrent")),
    ],
)
def test_bad_spaces(changes, words):
    arguments = {"name": "mine", "nodes": 3, "operations": OPERATIONS} | changes
    with refused(*words):
        cell_space(arguments.pop("name"), **arguments)


def test_a_space_of_other_cells_is_refused():
    cells = (dataclasses.replace(conv.SPACE.cells[0], name="cell"),)
    with refused("'other'", "normal", "cell"):
        register_space(dataclasses.replace(conv.SPACE, name="other", cells=cells))


def test_register_space():
    names = conv.CANDIDATES
    space = dataclasses.replace(conv.SPACE, name="other", operations=names)
    assert register_space(space) is space_by_name("other")
    text = decide(space, lambda d: 0).to_json()
    assert "definition" in json.loads(text)


def test_a_genotype_carries_its_space(monkeypatch):
    space = cell_space("mine", nodes=3, operations=OPERATIONS)
    genotype = decide(space, lambda d: 0)
    assert genotype.count("own_conv", "normal") == 6
    text = genotype.to_json()
    definition = {"nodes": 3, "operations": OPERATIONS}
    assert json.loads(text)["definition"] == definition
    monkeypatch.delitem(SPACES, "mine")
    again = Genotype.from_json(text)
    assert again == genotype and again.to_json() == text
    # The definition is replaced by the space itself, once it is registered.
    cell_space("mine", nodes=4, operations=OPERATIONS)
    assert space_by_name("mine").cells[0].nodes == 4
    assert Genotype.from_json(text) == genotype  # fewer nodes, as published cells


def test_a_genotype_of_unknown_operations(monkeypatch):
    space = cell_space("mine", nodes=3, operations=OPERATIONS)
    text = decide(space, lambda d: 0).to_json()
    monkeypatch.setattr(operation_names, "registered", set())
    for known in (True, False):
        if not known:
            monkeypatch.delitem(SPACES, "mine")
        with refused("'own_conv'", "register_operation", "`plugin`"):
            Genotype.from_json(text)


def test_a_bad_definition():
    text = '{"space": "mine", "definition": %s, "normal": [], "reduce": []}'
    for value in ("3", '{"nodes": 3}', '{"nodes": "3", "operations": ["none"]}'):
        with refused("3"):
            Genotype.from_json(text % value)
    with refused("10000000"):
        Genotype.from_json(text % '{"nodes": 10000000, "operations": ["none"]}')
    with refused("list of names"):
        Genotype.from_json(text % '{"nodes": 4, "operations": 7}')
    with refused("space"):
        Genotype.from_json(
            '{"space": ["x"], "definition": {"nodes": 4, "operations": []}}'
        )


def test_an_unknown_space():
    with refused("'mine'", "cell_space", "`plugin`"):
        space_by_name("mine")
