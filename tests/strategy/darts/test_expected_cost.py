"""The expected cost: exact at one-hot alpha, and its gradient by differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.footprint.cost_table import CostTable, derivable, rows_by_node
from darts_tf.space import conv, nasbench201, registry, robust
from darts_tf.space.cell import ZERO, CellSpec, SearchSpace
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.expected_cost import (
    expected_and_derived,
    inclusion,
    mixing_weights,
    of_cell,
)

OWN = SearchSpace(
    "own",
    tuple(
        CellSpec(kind, 2, 3, (("skip_connect", "sep_conv_3x3", ZERO),) * 9, 1, (2, 3))
        for kind in ("normal", "reduce")
    ),
    ("skip_connect", "sep_conv_3x3"),
)
SPACES = [conv.SPACE, *robust.SPACES, nasbench201.SPACE, OWN]


@pytest.fixture(autouse=True)
def own_space_is_known(monkeypatch):
    monkeypatch.setitem(registry.SPACES, OWN.name, OWN)


def random_table(space: SearchSpace, seed: int) -> CostTable:
    generator = np.random.default_rng(seed)
    costs = {
        spec.name: generator.integers(0, 10**9, spec.alpha_shape)
        for spec in space.cells
    }
    return CostTable("multiply_adds", space, 12345, costs)


def of_one(table: CostTable, alpha, relaxation: str = "softmax"):
    both = expected_and_derived([table], alpha, relaxation)
    return [values[0] for values in both]


def one_hot_alpha(space: SearchSpace, generator, columns: int) -> list[np.ndarray]:
    """One candidate an edge; at most as many zero operations as edges are left out."""
    alpha = []
    for spec in space.cells:
        names = spec.candidates
        rows = np.full((len(names), spec.alpha_shape[1] + columns), -60.0, np.float32)
        if columns:
            rows[:, -1] = generator.normal(size=len(names))
        for node in rows_by_node(spec):
            spare = len(node) - (spec.predecessors or len(node))
            empty = generator.permutation(node)[: generator.integers(0, spare + 1)]
            for row in node:
                allowed = [
                    column
                    for column, name in enumerate(names[row])
                    if spec.zero_kept or name != ZERO
                ]
                chosen = generator.choice(allowed)
                if row in empty and ZERO in names[row]:
                    chosen = names[row].index(ZERO)
                rows[row, chosen] = 60
        alpha.append(rows)
    return alpha


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@pytest.mark.parametrize("columns", [0, 1])
def test_at_one_hot_alpha_it_is_the_derived_networks_cost(space, columns):
    generator = np.random.default_rng(3)
    measure = tf.function(lambda t, alpha: of_one(t, alpha))
    table = random_table(space, 0)
    for _ in range(4):
        alpha = one_hot_alpha(space, generator, columns)
        counted = table.of(derivation.derive(space, alpha))
        expected, derived = measure(table, [tf.constant(rows) for rows in alpha])
        assert int(expected) == counted == int(derived)


def test_milliseconds_are_as_exact_as_counts():
    space, generator = conv.SPACE, np.random.default_rng(4)
    whole = random_table(space, 0)
    costs = {kind: rows / 1e7 for kind, rows in whole.costs.items()}
    table = CostTable("latency", space, 0.25, costs)
    alpha = one_hot_alpha(space, generator, 0)
    counted = table.of(derivation.derive(space, alpha))
    expected, derived = of_one(table, alpha)
    assert isinstance(counted, float) and counted == pytest.approx(float(derived))
    assert counted == pytest.approx(float(expected), rel=1e-12)
    least, most = table.bounds()
    assert 0.25 <= least <= counted <= most


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_the_cost_now_is_that_of_the_derivation_everywhere(space):
    generator = np.random.default_rng(1)
    table = random_table(space, 2)
    least, most = table.bounds()
    for columns in (0, 1):
        alpha = [
            generator.normal(size=np.add(spec.alpha_shape, [0, columns]))
            for spec in space.cells
        ]
        expected, derived = of_one(table, alpha)
        assert int(derived) == table.of(derivation.derive(space, alpha))
        assert least <= float(expected) <= most


def test_probabilities_of_edges_are_those_of_their_sets():
    strengths = np.array([0.1, 0.4, 0.2, 0.3])
    for count in (1, 2, 3):
        sets = list(itertools.combinations(range(4), count))
        products = np.array([np.prod(strengths[list(chosen)]) for chosen in sets])
        expected = [
            sum(p for p, chosen in zip(products, sets) if edge in chosen)
            for edge in range(4)
        ]
        seen = inclusion(tf.constant(strengths), [range(4)], count).numpy()
        np.testing.assert_allclose(seen, expected / products.sum(), rtol=1e-12)
        assert seen.sum() == pytest.approx(count)


@pytest.mark.parametrize("space", [conv.SPACE, nasbench201.SPACE, OWN])
def test_the_gradient_is_that_of_means_and_of_the_soft_choice(space):
    spec = space.cells[0]
    generator = np.random.default_rng(5)
    costs = random_table(space, 7).costs[spec.name] / 1e8
    start = mixing_weights(spec, generator.normal(size=spec.alpha_shape))
    allowed = derivable(spec)

    def parts(weights):
        weights = np.array(weights) * allowed
        means = (weights * costs).sum(-1) / weights.sum(-1)
        strengths, nodes = tf.constant(weights.max(-1)), rows_by_node(spec)
        return means, inclusion(strengths, nodes, spec.predecessors or 9).numpy()

    with tf.GradientTape() as tape:
        tape.watch(start)
        (value,), _ = of_cell(spec, start, costs[np.newaxis])
    seen = tape.gradient(value, start).numpy()
    means, soft = parts(start)
    kept = np.zeros(len(means))
    for rows in rows_by_node(spec):
        strengths = (start.numpy() * allowed)[rows].max(-1)
        kept[np.array(rows)[np.argsort(-strengths)[: spec.predecessors]]] = 1
    assert float(value) == pytest.approx((kept * means).sum())
    for place in [(0, 0), (3, 1), (4, 2), (5, 1)]:
        step = np.zeros(spec.alpha_shape)
        step[place] = 1e-6
        above, below = parts(start + step), parts(start - step)
        by_means, by_choice = ((a - b) / 2e-6 for a, b in zip(above, below))
        expected = (kept * by_means).sum() + (by_choice * means).sum()
        assert seen[place] == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_the_edges_of_a_node_choose_without_those_of_others():
    strengths = np.array([0.9, 0.1, 1e-30, 1e-30, 1e-30, 0.5])
    together = inclusion(tf.constant(strengths), [[0, 1], [2, 3, 4], [5]], 2).numpy()
    parts = [
        inclusion(tf.constant(strengths[a:b]), [range(b - a)], 2).numpy()
        for a, b in ((0, 2), (2, 5), (5, 6))
    ]
    np.testing.assert_allclose(together, np.concatenate(parts), rtol=1e-12)
    np.testing.assert_allclose(together, [1, 1, 2 / 3, 2 / 3, 2 / 3, 1], rtol=1e-12)


def test_several_costs_are_what_each_of_them_is_alone():
    space, generator = conv.SPACE, np.random.default_rng(6)
    tables = [random_table(space, seed) for seed in (1, 2)]
    alpha = [generator.normal(size=spec.alpha_shape) for spec in space.cells]
    both = expected_and_derived(tables, alpha)
    alone = [expected_and_derived([table], alpha) for table in tables]
    for values, singles in zip(both, zip(*alone)):
        np.testing.assert_allclose(values, np.concatenate(singles), rtol=1e-14)


def test_nodes_with_as_many_edges_as_they_keep_choose_none():
    seen = inclusion(tf.constant([0.9, 0.1], tf.float64), [range(2)], 2).numpy()
    np.testing.assert_allclose(seen, 1, rtol=1e-15)


@pytest.mark.parametrize("relaxation", derivation.MEANS)
@pytest.mark.parametrize("columns", [0, 1])
def test_each_relaxation_ranks_as_its_derivation_does(relaxation, columns):
    generator = np.random.default_rng(7)
    table = random_table(conv.SPACE, 1)
    for _ in range(5):
        alpha = [
            generator.normal(size=(edges, candidates + columns))
            for edges, candidates in (spec.alpha_shape for spec in conv.SPACE.cells)
        ]
        genotype = derivation.derive(conv.SPACE, alpha, relaxation=relaxation)
        _, derived = of_one(table, alpha, relaxation)
        assert derived.numpy() == table.of(genotype)
        for spec, rows in zip(conv.SPACE.cells, alpha, strict=True):
            candidates, beta = spec.parted(rows)
            means = derivation.MEANS[relaxation](candidates)
            if beta is not None:
                means *= derivation.edge_weights(spec, beta)[:, np.newaxis]
            weights = mixing_weights(spec, rows, relaxation)
            np.testing.assert_allclose(weights, means, rtol=1e-6)
