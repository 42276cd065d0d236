"""The costs' gradient: one-sided, adapted, and its place in all searches."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.cost_penalty import CostPenalty, Costs, add_gradient
from darts_tf.strategy.darts.derivation import derive
from darts_tf.strategy.darts.joint import SimultaneousSearch
from tests.strategy.small_space import SMALL
from tests.strategy.toy_search import EPOCHS, STEPS, build, run, seen_gradient

ROW = np.array([0, 0, 0, 60, 40])  # the zero operation, pool, skip, sep, dil
PARAMETERS = CostTable(
    "parameters",
    SMALL,
    100,
    {n: np.stack([ROW, 2 * ROW]) for n in ("normal", "reduce")},
)
PRODUCTS = CostTable(
    "multiply_adds",
    SMALL,
    1000,
    {n: 10 * np.stack([ROW, ROW]) for n in ("normal", "reduce")},
)
LEAST, MOST = 100, 460


def penalty(*tables, targets=None, weight=None, rate=0.5) -> CostPenalty:
    costs = Costs(tables or (PARAMETERS,), targets)
    return CostPenalty(costs, weight, rate, Replicas("one_device"))


def random_alpha() -> list:
    generator = np.random.default_rng(0)
    return [
        tf.constant(generator.normal(size=spec.alpha_shape), tf.float32)
        for spec in SMALL.cells
    ]


def added(costs: Costs, alpha, factors=(1.0,)) -> list[np.ndarray]:
    zeros = [tf.zeros_like(rows) for rows in alpha]
    factors = tf.constant(factors, tf.float64)
    return [g.numpy() for g in add_gradient(costs, zeros, alpha, factors)]


def test_below_the_target_there_is_no_gradient():
    alpha = random_alpha()
    derived = PARAMETERS.of(derive(SMALL, [rows.numpy() for rows in alpha]))
    for gradient in added(Costs((PARAMETERS,), (float(derived),)), alpha):
        np.testing.assert_array_equal(gradient, 0)
    for gradient in added(Costs((PARAMETERS,), (derived - 1.0,)), alpha):
        assert np.abs(gradient).max() > 1e-3


def test_costs_are_shares_of_the_target_or_of_the_dearest_network():
    assert PARAMETERS.bounds() == (LEAST, MOST)
    alpha = random_alpha()
    pairs = zip(
        added(Costs((PARAMETERS,)), alpha),
        added(Costs((PARAMETERS,), (110.0,)), alpha),
        strict=True,
    )
    for share, over in pairs:
        np.testing.assert_allclose(share * MOST, over * 110, rtol=1e-5, atol=1e-9)


def test_gradients_of_several_costs_add_up():
    alpha = random_alpha()
    both = added(Costs((PARAMETERS, PRODUCTS)), alpha, (2.0, 3.0))
    first = added(Costs((PARAMETERS,)), alpha)
    second = added(Costs((PRODUCTS,)), alpha)
    for b, one, two in zip(both, first, second, strict=True):
        np.testing.assert_allclose(b, 2 * one + 3 * two, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("target", [110.0, 300.0])
def test_multipliers_bring_the_derived_cell_to_its_target(target):
    """The loss wants the dearest candidates; what it gets fits."""
    pull = penalty(targets=(target,))
    penalised = tf.function(pull.penalised, autograph=False)
    alpha, costs = random_alpha(), []
    wanted = [np.array([[0, 0, 0, -0.1, -0.05]] * 2, np.float32)] * 2
    for _ in range(150):
        gradient = penalised([tf.constant(g) for g in wanted], alpha)
        alpha = [a - 0.3 * g for a, g in zip(alpha, gradient, strict=True)]
        pull.adapt(alpha)
        costs.append(PARAMETERS.of(derive(SMALL, [a.numpy() for a in alpha])))
    assert max(costs) > target  # the multiplier is needed, and found
    assert np.mean([cost <= target for cost in costs[-50:]]) > 0.6
    assert pull.multipliers.numpy()[0] > 0


def test_multipliers_rise_above_the_target_and_stay_below():
    pull, alpha = penalty(targets=(110.0,), rate=0.5), random_alpha()
    derived = PARAMETERS.of(derive(SMALL, [rows.numpy() for rows in alpha]))
    pull.adapt(alpha)
    assert pull.multipliers.numpy() == pytest.approx([0.5 * (derived / 110 - 1)])
    cheap = [tf.constant([[0, 9.0, 0, 0, 0]] * 2)] * 2
    pull.adapt(cheap)
    assert pull.multipliers.numpy() == pytest.approx([0.5 * (derived / 110 - 1)])
    fixed = penalty(targets=(110.0,), weight=3.0)
    fixed.adapt(alpha)
    assert fixed.multipliers.numpy() == [3]


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_all_methods_take_it_as_a_cost_of_alpha_over_t(method):
    common = {"alpha_weight_decay": 0.0, "temperature_end": 0.5}
    plain = run(build(method, **common), (EPOCHS - 1) * STEPS)
    state = plain.state()
    other = build(method, cost_penalty=penalty(weight=2.0), **common)
    other.restore(state | {"cost_multipliers/00000": np.array([2.0])})
    alpha = [tf.constant(a / 0.5) for a in plain.architecture.values()]
    expected = added(Costs((PARAMETERS,)), alpha, (2.0,))
    pairs = zip(seen_gradient(other), seen_gradient(plain), expected, strict=True)
    for seen, without, cost in pairs:
        np.testing.assert_allclose(seen - without, cost / 0.5, atol=1e-4)


def test_a_joint_step_takes_it_too():
    common = {"kind": SimultaneousSearch, "clip_norm": 0.0, "weight_decay": 0.0}
    plain, pulled = build(**common), build(cost_penalty=penalty(weight=2.0), **common)
    alpha = [tf.constant(a) for a in plain.architecture.values()]
    for search in (plain, pulled):
        scalars = search.advance()
    pairs = zip(
        plain.architecture.values(),
        pulled.architecture.values(),
        added(Costs((PARAMETERS,)), alpha, (2.0,)),
        strict=True,
    )
    for left, right, cost in pairs:
        expected = scalars["learning_rate"] * cost
        np.testing.assert_allclose(left - right, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [None, SimultaneousSearch])
def test_a_resumed_search_has_its_multipliers(kind):
    def new():
        chosen = {} if kind is None else {"kind": kind}
        pull = penalty(PARAMETERS, PRODUCTS, targets=(101.0, 1001.0))
        return build(cost_penalty=pull, **chosen)

    alone = run(new(), EPOCHS * STEPS)
    first = run(new(), STEPS + 1)
    second = new()
    second.restore(first.state())
    run(second, EPOCHS * STEPS - STEPS - 1)
    state = alone.state()
    assert (state["cost_multipliers/00000"] > 0).any()
    for name, array in second.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_alpha_that_does_not_move_raises_no_multiplier():
    search = build(cost_penalty=penalty(targets=(101.0,)), warmup_epochs=1)
    run(search, STEPS)
    assert search.state()["cost_multipliers/00000"] == [0]


def test_each_epoch_reports_expected_and_derived_cost_and_multiplier():
    pull = penalty(PARAMETERS, PRODUCTS, targets=(101.0, 2000.0))
    search = run(build(cost_penalty=pull), STEPS)
    record = search.end_epoch()
    for table in (PARAMETERS, PRODUCTS):
        least, most = table.bounds()
        assert record[f"cost/{table.name}/derived"] == table.of(search.genotype())
        assert least < record[f"cost/{table.name}/expected"] < most
        assert record[f"cost/{table.name}/multiplier"] >= 0
    outcome = pull.outcome(search.genotype())
    assert outcome["parameters"]["target"] == 101
    assert outcome["parameters"]["dearest"] == MOST
