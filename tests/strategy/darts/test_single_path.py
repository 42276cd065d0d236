"""A search by gumbel on a supernet that computes one candidate an edge."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategy.small_search import small_search

STEPS = 4


def search(**more):
    return small_search("first_order", relaxation="gumbel", compiled=False, **more)


def run(loop, steps: int):
    for _ in range(steps):
        scalars = loop.advance()
    return scalars


@pytest.fixture(scope="module")
def alone():
    loop = search()
    before = loop.state()
    scalars = run(loop, STEPS)
    return loop, before, scalars


@pytest.mark.slow
def test_what_was_not_drawn_keeps_its_running_statistics(alone):
    loop, before, scalars = alone
    start, end = (s["task/statistics"] for s in (before, loop.state()))
    assert np.isfinite(end).all()
    assert 0 < (start == end).sum() < start.size
    assert np.isfinite(float(scalars["train/loss"]))
    assert scalars["gumbel_tau"] == pytest.approx(10 - 9.9 / 2)


@pytest.mark.slow
def test_what_is_measured_is_the_path_of_the_largest_alpha(alone):
    loop, *_ = alone
    _, path = loop.values()
    for rows, alpha in zip(path, loop.architecture.values(), strict=True):
        np.testing.assert_array_equal(rows.numpy().argmax(-1), alpha.argmax(-1))
        np.testing.assert_array_equal(rows.numpy().sum(-1), 1)
    assert 0 <= loop.end_epoch()["valid/accuracy"] <= 1


@pytest.mark.slow
def test_a_resumed_search_draws_the_same_paths(alone):
    loop, *_ = alone
    first, second = search(), search()
    run(first, 3)
    second.restore(first.state())
    run(second, STEPS - 3)
    for name, array in second.state().items():
        np.testing.assert_array_equal(array, loop.state()[name])
