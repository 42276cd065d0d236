"""The study of ASHA against random search in NAS-Bench-201's table."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.studies.strategies import asha
from darts_tf.data.nasbench201_table import Table
from darts_tf.space.architecture_string import every_string


def test_the_expected_best_is_that_of_all_draws():
    chooses, true = np.array([0.3, 0.1, 0.2]), np.array([5.0, 9.0, 7.0])
    draws = [
        max(d, key=lambda i: chooses[i]) for d in itertools.product(range(3), repeat=2)
    ]
    assert asha.expected_best(chooses, true, 2) == pytest.approx(np.mean(true[draws]))


def test_a_search_spends_no_more_than_its_budget_and_finds_the_best_it_trained():
    accuracies = {
        name: (0.0, 10 + n / 200, 0.0, 0.0, 0.0, 0.0, 15 + n / 200)
        for n, name in enumerate(every_string())
    }
    found = asha.search(0, Table(accuracies))["found"]
    for budget in asha.BUDGETS:
        lower, upper = found[str(budget)]["cells"]
        spent = lower * asha.SHORT + upper * (asha.FULL - asha.SHORT)
        assert budget - asha.FULL < spent <= budget
        assert upper == lower // asha.REDUCTION or spent + asha.FULL > budget
    worths = [found[str(budget)]["true"] for budget in asha.BUDGETS]
    assert worths == sorted(worths) and worths[0] > 15
