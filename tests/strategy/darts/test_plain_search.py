"""A search on plain networks moves alpha as the compiled one does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategy.small_search import small_search


@pytest.mark.parametrize(
    "method, regularizer",
    [
        ("first_order", "none"),
        ("finite_difference", "none"),
        ("exact", "none"),
    ],
)
def test_the_plain_search_gives_the_same_alpha(method, regularizer):
    settings = {"lambda_regularizer": regularizer, "lambda_cells": "normal"}
    settings |= {"lambda_gradient": "exact", "alpha_learning_rate": 0.01}
    plain, fast = (
        small_search(method, compiled=compiled, **settings)
        for compiled in (False, True)
    )
    assert len(plain.task.w) > len(fast.task.w) == 1
    start = np.concatenate([np.ravel(v.numpy()) for v in plain.task.w])
    np.testing.assert_array_equal(start, fast.task.w[0])
    for _ in range(3):
        plain.advance()
        fast.advance()
    for one, other in zip(plain.architecture.values(), fast.architecture.values()):
        np.testing.assert_allclose(one, other, atol=2e-3)
        assert np.abs(one).max() > 0.01
    assert 0 <= plain.end_epoch()["valid/accuracy"] <= 1
