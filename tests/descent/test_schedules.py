from __future__ import annotations

import pytest

from darts_tf.descent.schedules import cosine, geometric, linear


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
