"""Properties that all black-box strategies share, and how each one learns."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.space.decisions import decided
from darts_tf.space.registry import SPACES
from darts_tf.strategy.black_box.reinforce import _log_gradient
from darts_tf.strategy.black_box.strategies import STRATEGIES, strategy_by_name
from darts_tf.strategy.darts.derivation import softmax

SMALL = {
    "evolution": {"population": 4, "sample": 2},
    "bayesian": {"startup": 4},
    "asha": {"reduction": 100},  # promotions depend on worths alone: test_asha.py
    "nsga2": {"costs": [lambda genotype: 1.0], "population": 4},
}
NB201 = SPACES["nasbench201"]


def worth(genotype) -> float:
    """Counts the first options among the choices: a worth that can be learnt."""
    return float(sum(choice == 0 for choice in decided(genotype).values()))


def asked(strategy, count: int) -> list:
    """Returns (genotype, worth) of so many evaluations."""
    evaluated = []
    for _ in range(count):
        genotype = strategy.propose()
        evaluated.append((genotype, worth(genotype)))
        strategy.tell(*evaluated[-1])
    return evaluated


@pytest.mark.parametrize("space", ["darts_conv", "s1", "darts_recurrent"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_proposal_depends_on_the_seed_and_on_what_was_told(name, space):
    def new(seed=5):
        return strategy_by_name(name, SPACES[space], seed, **SMALL.get(name, {}))

    first, again, other = new(), new(), new(seed=6)
    history = asked(first, 8)
    assert len({genotype for genotype, _ in history}) > 4
    for genotype, value in history:
        again.tell(genotype, value)
        other.tell(genotype, value)
    assert again.propose() == first.propose() == first.propose()
    assert other.propose() != first.propose()
    assert asked(again, 4) == asked(first, 4)


@pytest.mark.parametrize(
    "name, settings",
    [
        ("random", {}),
        ("evolution", {}),
        ("bayesian", {}),
        ("nsga2", {"costs": [lambda genotype: 1.0], "population": 10}),
        ("reinforce", {"learning_rate": 0.3}),
    ],
)
def test_they_learn_what_is_good_and_random_search_does_not(name, settings):
    strategy = strategy_by_name(name, NB201, 0, **settings)
    worths = [value for _, value in asked(strategy, 80)]
    assert np.mean(worths[:10]) < 2  # 6 / 5 expected
    learns = np.mean(worths[-40:]) > 2  # six deviations above it
    assert learns == (name != "random")


def differing(one, two) -> int:
    """Counts the decisions in which two genotypes differ."""
    one, two = decided(one), decided(two)
    return sum(one[name] != two[name] for name in one)


def test_evolution_lets_the_oldest_die_and_not_the_worst():
    strategy = strategy_by_name("evolution", NB201, 0, population=3, sample=60)
    members = [strategy_by_name("random", NB201, s).propose() for s in (1, 2)]
    best = strategy_by_name("random", NB201, 3).propose()
    for genotype, value in zip((best, *members), (9.0, 1.0, 2.0)):
        strategy.tell(genotype, value)
    child = strategy.propose()
    assert differing(child, best) == 1
    assert all(differing(child, member) > 1 for member in members)
    strategy.tell(child, 0.0)  # now the best one is too old
    assert differing(strategy.propose(), members[1]) == 1


def test_the_gradient_of_a_log_probability():
    logits, step = np.array([0.3, -1.0, 0.5, 0.0]), 1e-6
    for choice in range(4):
        numeric = [
            (
                np.log(softmax(logits + step * e)[choice])
                - np.log(softmax(logits - step * e)[choice])
            )
            / (2 * step)
            for e in np.eye(4)
        ]
        evaluated = _log_gradient(softmax(logits), choice)
        np.testing.assert_allclose(evaluated, numeric, atol=1e-8)
    assert not _log_gradient(softmax(logits), None).any()


@pytest.mark.parametrize("better", [True, False])
def test_reinforce_moves_along_what_was_decided(better):
    strategy = strategy_by_name("reinforce", SPACES["darts_conv"], 0)
    before = strategy.policy()
    strategy.tell(strategy.propose(), 1.0)
    for name, p in strategy.policy().items():  # no better than the mean yet
        np.testing.assert_array_equal(p, before[name])
    genotype = strategy.propose()
    strategy.tell(genotype, 2.0 if better else 0.5)
    choices = decided(genotype)
    for name, p in strategy.policy().items():
        if name not in choices:
            np.testing.assert_array_equal(p, before[name])
            continue
        change = np.sign(p - before[name])
        assert change[choices[name]] == (1 if better else -1)
        assert (np.delete(change, choices[name]) == -change[choices[name]]).all()


def test_a_constant_worth_teaches_nothing():
    strategy = strategy_by_name("reinforce", NB201, 0)
    before = strategy.policy()
    for _ in range(5):
        strategy.tell(strategy.propose(), 0.7)
    for name, p in strategy.policy().items():
        np.testing.assert_allclose(p, before[name], atol=1e-6)


@pytest.mark.parametrize(
    "name, settings, words",
    [
        ("greedy", {}, "evolution"),
        ("evolution", {"population": 0}, "population"),
        ("evolution", {"sample": 0}, "sample"),
        ("reinforce", {"learning_rate": 0.0}, "learning_rate"),
        ("reinforce", {"baseline": 1.0}, "share"),
        ("bayesian", {"startup": 0}, "at least 1"),
        ("asha", {"rungs": 1}, "strategy=random"),
    ],
)
def test_refused(name, settings, words):
    with pytest.raises(InputError, match=words):
        strategy_by_name(name, NB201, 0, **settings)


def test_without_optuna_one_is_told_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match="pip install optuna"):
        strategy_by_name("bayesian", NB201, 0)
