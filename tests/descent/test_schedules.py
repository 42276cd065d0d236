from __future__ import annotations

import pytest

from darts_tf.descent.schedules import cosine, linear


def test_cosine_goes_from_start_to_end():
    assert cosine(0.025, 0.001, 0, 50) == pytest.approx(0.025)
    assert cosine(0.025, 0.001, 25, 50) == pytest.approx(0.013)
    assert cosine(0.025, 0.001, 50, 50) == pytest.approx(0.001)


def test_linear_rises_from_zero():
    assert linear(0.2, 0, 600) == 0
    assert linear(0.2, 300, 600) == pytest.approx(0.1)
