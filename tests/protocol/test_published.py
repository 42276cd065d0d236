"""Numbers as the DARTS paper prints them, in our units."""

from __future__ import annotations

import pytest

from darts_tf.protocol import published


def test_a_row_is_in_shares_and_seconds():
    (second,) = (
        row for row in published.CIFAR10 if row.name == "DARTS (second order) + cutout"
    )
    assert (second.test, second.deviation) == pytest.approx((0.0276, 9e-4))
    assert (second.cost, second.operations) == (4 * 86_400, 7)
