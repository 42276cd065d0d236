"""Every choice is a valid genotype, every derived genotype a choice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.errors import InputError
from darts_tf.space import robust
from darts_tf.space.architecture_string import from_string
from darts_tf.space.decisions import (
    canonical,
    decide,
    decided,
    decisions,
    operations,
)
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT
from darts_tf.space.registry import SPACES, space_by_name
from darts_tf.strategy.darts.derivation import derive

SIZES = {
    "darts_conv": (2, 3, 7, 3 * 6 * 10, 7**8),
    "s1": (2, 3, 2, 3 * 6 * 10, 2**8),
    "s3": (2, 3, 2, 3 * 6 * 10, 2**8),
    "nasbench201": (1, 0, 5, 1, 5**6),
    "darts_recurrent": (1, 7, 4, math.factorial(8), 4**8),
}
"""Cells; decisions on predecessors a cell; options of an operation; ways to
keep predecessors and operations, a cell."""


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_choice_is_a_valid_genotype(name, data):
    space, taken = SPACES[name], {}

    def choose(decision):
        last = len(decision.options) - 1
        taken[decision.name] = data.draw(st.integers(0, last))
        return taken[decision.name]

    genotype = decide(space, choose)
    assert Genotype.from_json(genotype.to_json()) == genotype
    assert decided(genotype) == taken
    assert canonical(genotype) == genotype
    names = [decision.name for decision in decisions(name)]
    assert list(taken) == [n for n in names if n in taken]
    for spec in space.cells:  # each edge carries a candidate of its own
        edges = genotype.cells[spec.name].edges
        targets = spec.entered(len(edges))
        assert len(set(zip(targets, (s for _, s in edges)))) == len(edges)
        for (operation, source), target in zip(edges, targets):
            row = spec.edges.index((source, target))
            assert operation in operations(spec, row)


@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_is_derived_can_be_chosen(name, seed):
    space, generator = SPACES[name], np.random.default_rng(seed)
    alpha = [generator.normal(size=spec.alpha_shape) for spec in space.cells]
    genotype = derive(space, alpha)
    taken = decided(genotype)
    assert decide(space, lambda d: taken[d.name]) == canonical(genotype)


@pytest.mark.parametrize("name", SIZES)
def test_the_number_of_genotypes_is_the_spaces_own(name):
    cells, free, options, ways, operations_chosen = SIZES[name]
    found = decisions(name)
    kept = [d for d in found if d.name.endswith("predecessors")]
    rest = [d for d in found if d not in kept]
    assert len(kept) == cells * free
    assert {len(d.options) for d in rest} == {options}
    assert math.prod(len(d.options) for d in kept) == ways**cells
    taken = decided(decide(space_by_name(name), lambda d: 0))
    chosen = len(taken) - len(kept)
    assert options**chosen == operations_chosen**cells


def test_s1_has_each_edges_own_candidates():
    options = {d.name: d.options for d in decisions("s1")}
    rows = zip(robust.S1_REDUCE, space_by_name("s1").cells[1].edges)
    for names, (source, target) in rows:
        assert options[f"reduce/{source}-{target}"] == names


def test_the_order_of_a_nodes_edges_means_nothing():
    cell = CONVOLUTIONAL["DARTS_V2"].cells["normal"]
    pairs = [e for i in range(0, 8, 2) for e in cell.edges[i : i + 2][::-1]]
    turned = CellGenotype(tuple(pairs), cell.concat)
    cells = {**CONVOLUTIONAL["DARTS_V2"].cells, "normal": turned}
    other = Genotype("darts_conv", cells)
    assert other != CONVOLUTIONAL["DARTS_V2"]
    assert decided(other) == decided(CONVOLUTIONAL["DARTS_V2"])


def test_published_cells_that_were_derived_here_and_others():
    assert decided(RECURRENT["DARTS_V2"])
    zeros = from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert set(decided(zeros).values()) == {0}
    for genotype in (CONVOLUTIONAL["NASNet"], CONVOLUTIONAL["AmoebaNet"]):
        with pytest.raises(InputError, match="cannot be derived"):
            decided(genotype)


def test_twice_from_one_node_is_refused():
    cell = CONVOLUTIONAL["DARTS_V2"].cells["normal"]
    edges = (("sep_conv_3x3", 1), *cell.edges[1:])
    twice = CellGenotype(edges, cell.concat)
    cells = {**CONVOLUTIONAL["DARTS_V2"].cells, "normal": twice}
    assert edges[0][1] == edges[1][1]
    with pytest.raises(InputError, match="cannot be derived"):
        decided(Genotype("darts_conv", cells))
