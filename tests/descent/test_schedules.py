from __future__ import annotations

import pytest

from darts_tf.descent.schedules import (
    cosine,
    exponential,
    falling,
    geometric,
    linear,
    warmed_up,
)


def test_cosine_goes_from_start_to_end():
    assert cosine(0.025, 0.001, 0, 50) == pytest.approx(0.025)
    assert cosine(0.025, 0.001, 25, 50) == pytest.approx(0.013)
    assert cosine(0.025, 0.001, 50, 50) == pytest.approx(0.001)


def test_linear_rises_from_zero():
    assert linear(0.2, 0, 600) == 0
    assert linear(0.2, 300, 600) == pytest.approx(0.1)


def test_geometric_falls_by_a_constant_factor():
    values = [geometric(0.01, epoch, 3) for epoch in range(3)]
    assert values == pytest.approx([1, 0.1, 0.01])
    assert geometric(0.01, 0, 1) == 1
    assert {geometric(1.0, epoch, 7) for epoch in range(7)} == {1.0}


def test_falling_ends_at_zero():
    values = [falling(0.5, epoch, 250) for epoch in (0, 125, 249, 250)]
    assert values == pytest.approx([0.5, 0.25, 0.002, 0])


def test_exponential_loses_its_share_every_epoch():
    values = [exponential(0.1, 0.97, epoch) for epoch in range(3)]
    assert values == pytest.approx([0.1, 0.097, 0.09409])


def test_warm_up_takes_a_rising_share_of_the_schedule():
    shares = [warmed_up(2.0, epoch, 4) for epoch in range(6)]
    assert shares == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert warmed_up(0.1, 0, 0) == 0.1
