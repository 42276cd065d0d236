"""The most likely genotypes against a search through all of them."""

import itertools

import numpy as np
import pytest

from darts_tf.space import nasbench201
from darts_tf.space.cell import CellSpec
from darts_tf.space.decisions import canonical
from darts_tf.space.registry import SPACES, space_by_name
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.likely_genotypes import likely_cells, likely_genotypes

NAMES = ("none", "skip_connect", "sep_conv_3x3")
SMALL = CellSpec("small", 2, 2, (NAMES,) * 5, 2, (2, 3))


def every_cell(spec):
    """Yields the places (row, source, column) of alpha that each cell takes."""
    nodes = []
    for node in spec.targets:
        incoming = spec.incoming(node)
        kept = spec.predecessors or len(incoming)
        nodes.append(
            [
                [(row, source, c) for (row, source), c in zip(pairs, columns)]
                for pairs in itertools.combinations(incoming, kept)
                for columns in itertools.product(
                    range(0 if spec.zero_kept else 1, spec.alpha_shape[1]), repeat=kept
                )
            ]
        )
    for chosen in itertools.product(*nodes):
        yield [place for node in chosen for place in node]


@pytest.mark.parametrize(
    "spec", [SMALL, nasbench201.SPACE.cells[0]], ids=["edges", "zero"]
)
def test_the_products_are_the_largest_of_all_cells(spec):
    alpha = np.random.default_rng(0).normal(size=spec.alpha_shape)
    weights = derivation.softmax(alpha)
    products = {
        frozenset((spec.candidates[r][c], source, r) for r, source, c in places): sum(
            np.log(weights[r, c]) for r, _, c in places
        )
        for places in every_cell(spec)
    }
    found = likely_cells(spec, weights, 40)
    best = sorted(products, key=products.get, reverse=True)[:40]
    np.testing.assert_allclose(
        [score for score, _ in found], [products[b] for b in best]
    )
    for (_, edges), cell in zip(found, best, strict=True):
        assert sorted(edges) == sorted((name, source) for name, source, _ in cell)


@pytest.mark.parametrize("name", list(SPACES))
@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_the_first_is_the_derived_one_and_all_differ(name, scale):
    space, generator = space_by_name(name), np.random.default_rng(3)
    alpha = [generator.normal(0, scale, s.alpha_shape) for s in space.cells]
    found = likely_genotypes(space, alpha, 12)
    assert found[0] == derivation.derive(space, alpha)
    assert len({str(canonical(genotype)) for genotype in found}) == len(found) == 12


def test_edge_normalisation_ranks_edges_too():
    space, generator = space_by_name("darts_conv"), np.random.default_rng(0)
    shapes = [(spec.alpha_shape[0], spec.alpha_shape[1] + 1) for spec in space.cells]
    alpha = [generator.normal(size=shape) for shape in shapes]
    assert likely_genotypes(space, alpha, 2)[0] == derivation.derive(space, alpha)
    without = [rows[:, :-1] for rows in alpha]
    assert likely_genotypes(space, without, 2)[0] != derivation.derive(space, alpha)


def test_a_dropped_candidate_is_in_none_of_them():
    weights = np.array([[0.6, 0.4, -np.inf]] * 5)
    found = likely_cells(SMALL, weights, 100)
    assert {name for _, edges in found for name, _ in edges} == {"skip_connect"}
    assert len(found) == 3  # only the predecessors of the second node differ
