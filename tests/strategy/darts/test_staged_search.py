"""Progressive search: what leaves, what stays, and exact resume across stages."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.strategy.darts.derivation import MEANS, derive
from darts_tf.strategy.darts.staged_search import restricted, strongest
from darts_tf.strategy.diagnostics.other_rules import derive_by_other_rules
from tests.strategy.small_space import SMALL
from tests.strategy.staged_toy import STEPS, staged


def finish(loop, steps=None):
    """Returns the alpha of the whole space after each step."""
    seen = []
    while loop.step < loop.total_steps and (steps is None or loop.step < steps):
        loop.advance()
        seen.append(loop.architecture.values())
        if loop.step % STEPS == 0:
            loop.end_epoch()
    return seen


def same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_the_strongest_stay_in_their_order_and_of_equals_the_earlier():
    weights = np.array([[0.1, 0.4, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]])
    np.testing.assert_array_equal(strongest(weights, 2), [[1, 3], [0, 1]])


def test_each_edge_has_candidates_of_its_own_afterwards():
    columns = [np.array([[0, 3], [2, 4]]), np.array([[1, 2], [1, 2]])]
    space = restricted(SMALL, columns)
    assert space.name == SMALL.name
    assert space.cells[0].candidates == (
        ("none", "sep_conv_3x3"),
        ("skip_connect", "dil_conv_3x3"),
    )


def test_what_is_dropped_has_no_weight_and_is_not_derived():
    loop = staged("dirichlet")
    seen = finish(loop)
    present = [
        [int(np.isfinite(rows).sum(1).max()) for rows in alpha] for alpha in seen
    ]
    assert present == [[5, 5]] * 4 + [[3, 3]] * 2 + [[2, 2]] * 4
    weights = loop.architecture.mixing_weights()
    for spec, rows, before in zip(SMALL.cells, seen[-1], seen[3]):
        gone = np.isneginf(rows)
        assert (weights[spec.name][gone] == 0).all()
        assert (weights[spec.name][~gone] > 0).all()
        # What stays was among the strongest three before.
        assert (before.argsort(1).argsort(1)[~gone] >= 2).all()
    assert derive(SMALL, seen[-1], relaxation="dirichlet") == loop.final_genotype()


@pytest.mark.parametrize("relaxation", [*MEANS])
def test_minus_infinity_is_derived_by_no_rule(relaxation):
    present = [2, 3], [0, 4]
    rows = np.full((2, 5), -np.inf)
    for row, columns in enumerate(present):
        rows[row, columns] = -1.0, -2.0
    genotypes = derive_by_other_rules(SMALL, [rows, rows], relaxation=relaxation)
    genotypes["usual"] = derive(SMALL, [rows, rows], relaxation=relaxation)
    for genotype in genotypes.values():
        for spec in SMALL.cells:
            for name, source in genotype.cells[spec.name].edges:
                row = spec.edges.index((source, 2))
                assert spec.candidates[row].index(name) in present[row]


def test_a_dropped_candidate_is_not_derived_where_weights_underflow():
    spec = SMALL.cells[0]
    rows = np.array([[2000.0, -np.inf, 0, 0, 0]] * 2)
    cells = derive(SMALL, [rows, rows]).cells[spec.name]
    assert [name for name, _ in cells.edges] == ["skip_connect"] * 2


def test_candidates_that_stay_go_on_at_their_alpha():
    loop = staged(warmup_epochs=1)
    seen = finish(loop, 5)  # the first step of the second stage moves w alone
    for before, after in zip(seen[3], seen[4]):
        kept = np.isfinite(after)
        np.testing.assert_array_equal(after[kept], before[kept])


def test_killed_in_a_stage_and_between_two_it_goes_on_exactly():
    more = {"partial_channels": 2, "costs": True}
    whole, states = staged(**more), {}
    for step in range(1, whole.total_steps):
        finish(whole, step)
        states[step] = whole.state()
    finish(whole)
    for step in (4, 9):  # test_stochastic_kill.py has others
        again = staged(**more)
        again.restore(states[step])
        assert again.step == step and again.epoch == step // STEPS
        finish(again)
        same(again.state(), whole.state())
        assert again.final_genotype() == whole.final_genotype()


def test_multipliers_of_costs_and_edges_own_weights_stay():
    loop = staged(costs=True, partial_channels=2)
    finish(loop, 4)
    before = loop.cost_penalty.multipliers.numpy()
    beta = [rows[:, -1] for rows in loop.architecture.values()]
    loop._next_stage()
    np.testing.assert_array_equal(loop.cost_penalty.multipliers.numpy(), before)
    assert (before > 0).all()
    for rows, column in zip(loop.architecture.values(), beta):
        np.testing.assert_array_equal(rows[:, -1], column)
        assert rows.shape == (2, 6)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"stages/number": np.array(7)}, "is of stage 8, and the search has 3"),
        ({"stages/normal": np.full((2, 5), 9)}, "names candidates that cell"),
        ({"stages/normal": np.zeros((2, 3), int)}, "does not fit this run"),
    ],
)
def test_another_checkpoint_is_refused(change, says):
    loop = staged()
    with pytest.raises(InputError, match=says):
        loop.restore(loop.state() | change)


def test_restricted_spaces_are_checked():
    with pytest.raises(InputError, match="one of them not 'none'"):
        restricted(SMALL, [np.zeros((2, 1), int)] * 2)
