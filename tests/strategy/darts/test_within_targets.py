"""The most likely genotypes within cost targets, against all genotypes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import CellGenotype, Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import derivation, within_targets
from darts_tf.strategy.darts.likely_genotypes import likely_genotypes
from darts_tf.strategy.darts.within_targets import CostTargets, likely_within
from tests.strategy.small_space import SMALL

NASBENCH = space_by_name("nasbench201")
CHAIN = space_by_name("mobile_chain")


def state_of(space: SearchSpace, seed: int, scale: float = 0.3):
    generator = np.random.default_rng(seed)
    alpha = [generator.normal(0, scale, spec.alpha_shape) for spec in space.cells]
    return alpha, 1.0, "softmax"


def table_of(space: SearchSpace, seed: int, name: str = "parameters") -> CostTable:
    generator = np.random.default_rng(seed)
    costs = {
        spec.name: generator.integers(0, 1000, spec.alpha_shape) for spec in space.cells
    }
    return CostTable(name, space, 500, costs)


def targets_at(table: CostTable, place: float, floor: float) -> CostTargets:
    """Returns targets at a place between the cheapest (0) and the dearest (1)."""
    least, most = table.bounds()
    return CostTargets((table,), (least + place * (most - least),), floor)


def every_cell(state, table: CostTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (columns of alpha, log likelihood, cost) of all cells of NAS-Bench-201.

    The first has the shape [cells, edges], the others [cells].
    """
    (rows,), (costs,) = state[0], table.costs.values()
    columns = np.array([*itertools.product(range(rows.shape[1]), repeat=len(rows))])
    edges = np.arange(len(rows))
    scores = np.log(derivation.softmax(rows))[edges, columns].sum(-1)
    return columns, scores, table.constant + costs[edges, columns].sum(-1)


def genotype_of(columns) -> Genotype:
    """Returns the genotype that has these columns of alpha, [edges]."""
    (spec,) = NASBENCH.cells
    triples = zip(spec.candidates, columns, spec.edges, strict=True)
    edges = tuple((names[column], source) for names, column, (source, _) in triples)
    return Genotype(NASBENCH.name, {spec.name: CellGenotype(edges, spec.concat)})


def number_of(genotype: Genotype) -> int:
    """Returns the place of a genotype's cell in `every_cell`."""
    (spec,) = NASBENCH.cells
    pairs = zip(spec.candidates, genotype.cells[spec.name].edges, strict=True)
    columns = [names.index(name) for names, (name, _) in pairs]
    return int(np.ravel_multi_index(columns, [spec.alpha_shape[1]] * len(columns)))


@pytest.mark.parametrize("place", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("floor", [0.0, 0.9])
def test_the_first_is_the_most_likely_of_all_that_meet_the_targets(place, floor):
    """All 15,625 cells of NAS-Bench-201 are looked at, for five alphas."""
    strongest = []
    for seed in range(5):
        state, table = state_of(NASBENCH, seed), table_of(NASBENCH, seed + 10)
        targets = targets_at(table, place, floor)
        listed = likely_within(NASBENCH, state, 16, targets)
        columns, scores, costs = every_cell(state, table)
        most = targets.most[0]
        allowed = np.flatnonzero((costs <= most) & (costs >= floor * most))
        best = allowed[scores[allowed].argmax()]
        assert listed[0] == genotype_of(columns[best])
        assert len(listed) == 16 and all(map(targets.within, listed))
        met = list(map(targets.met, listed))
        assert met[4] and met == sorted(met, reverse=True)
        for group in (True, False):
            own = [g for g, reaches in zip(listed, met) if reaches == group]
            ranked = [scores[number_of(genotype)] for genotype in own]
            assert ranked == sorted(ranked, reverse=True)
        strongest.append(best == scores.argmax())
    assert not all(strongest) or (floor == 0 and place == 0.9)


@pytest.mark.parametrize("rate", [-3.0, 0.5, 20.0])
def test_a_rate_lists_the_most_likely_of_its_cost(rate):
    """Everett 1963: none is more likely and, above 0, cheaper; below 0, dearer."""
    state, table = state_of(NASBENCH, 0), table_of(NASBENCH, 1)
    prices = targets_at(table, 0.5, 0.0).prices(rate)
    (first,) = likely_genotypes(NASBENCH, state[0], 1, prices=prices)
    columns, scores, costs = every_cell(state, table)
    own = [genotype_of(row) == first for row in columns].index(True)
    better = scores > scores[own] + 1e-9
    assert (np.sign(rate) * (costs - costs[own]))[better].min(initial=1) > 0


@pytest.mark.parametrize("place", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("space", [CHAIN, SMALL, space_by_name("darts_conv")])
def test_targets_far_from_the_strongest_operations_are_met(space, place, monkeypatch):
    monkeypatch.setattr(within_targets, "LOOKED_THROUGH", 16)
    state = state_of(space, 3, scale=1e-3)
    targets = targets_at(table_of(space, 4), place, 0.9)
    plain = likely_genotypes(space, state[0], 16)
    listed = likely_within(space, state, 16, targets)
    assert targets.met(listed[0]) and all(map(targets.within, listed))
    if space is CHAIN and place != 0.5:
        assert not any(map(targets.met, plain))
        assert sum(map(targets.met, listed)) > 4


@pytest.mark.parametrize("place", [0.2, 0.35, 0.6])
@pytest.mark.parametrize("seed", range(3))
def test_the_floor_is_reached_across_a_jump_of_the_cost(place, seed):
    """One block is as dear as half of the dearest network, the others differ little."""
    table = table_of(CHAIN, seed)
    spec = CHAIN.cells[1]
    table.costs[spec.name][0, 5] = sum(
        int(c.max(-1).sum()) for c in table.costs.values()
    )
    state = state_of(CHAIN, seed + 3, scale=1e-3)
    state[0][1][0, 5] = 0.1  # the dear block is the strongest of its layer
    targets = targets_at(table, place, 0.95)
    listed = likely_within(CHAIN, state, 16, targets)
    assert targets.met(listed[0]) and all(map(targets.within, listed))


@pytest.mark.parametrize("most", [80, 118, 160])
def test_coarse_costs_are_looked_through_exactly(most):
    """A convolution costs 35 or 4, all else nothing, on every edge alike."""
    costs = np.tile(np.array([0, 0, 4, 35, 0]), (6, 1))
    table = CostTable("parameters", NASBENCH, 8, {"cell": costs})
    for seed in range(5):
        state = state_of(NASBENCH, seed)
        targets = CostTargets((table,), (float(most),), 0.95)
        columns, scores, costs_of_all = every_cell(state, table)
        met = (costs_of_all <= most) & (costs_of_all >= 0.95 * most)
        best = np.flatnonzero(met)[scores[met].argmax()]
        assert likely_within(NASBENCH, state, 16, targets)[0] == genotype_of(
            columns[best]
        )


def test_what_no_network_reaches_is_left_out():
    """Costs are 0 or 1000 and the target between: no network reaches its floor."""
    spec = NASBENCH.cells[0]
    costs = np.zeros(spec.alpha_shape, np.int64)
    costs[0, 3] = 1000
    table = CostTable("parameters", NASBENCH, 10, {spec.name: costs})
    state = state_of(NASBENCH, 0)
    state[0][0][0, 3] = 9.0  # the dear operation is by far the strongest
    listed = likely_within(NASBENCH, state, 64, CostTargets((table,), (100.0,), 0.9))
    assert {table.of(genotype) for genotype in listed} == {10} and len(listed) == 64
    unmet = likely_within(NASBENCH, state, 64, CostTargets((table,), (5.0,), 0.9))
    assert unmet == likely_genotypes(NASBENCH, state[0], 64)


def test_all_of_several_targets_hold_and_one_is_reached():
    state = state_of(CHAIN, 5)
    tables = table_of(CHAIN, 6), table_of(CHAIN, 7, "multiply_adds")
    places = 0.6, 0.4
    most = [targets_at(t, p, 0).most[0] for t, p in zip(tables, places, strict=True)]
    targets = CostTargets(tables, tuple(most), 0.9)
    listed = likely_within(CHAIN, state, 64, targets)
    for genotype in listed:
        shares = [t.of(genotype) / m for t, m in zip(tables, most, strict=True)]
        assert max(shares) <= 1 and (max(shares) >= 0.9) == targets.met(genotype)
    assert targets.met(listed[0])


def test_equals_stay_in_the_order_of_the_derivation():
    state = [np.zeros(spec.alpha_shape) for spec in CHAIN.cells], 1.0, "softmax"
    strongest = derivation.derive(CHAIN, *state)
    table = table_of(CHAIN, 0)
    targets = CostTargets((table,), (table.of(strongest) / 0.95,), 0.9)
    assert likely_within(CHAIN, state, 64, targets)[0] == strongest
