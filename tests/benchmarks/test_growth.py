"""Exponents of made-up measurements."""

from __future__ import annotations

import pytest

from benchmarks.speed import growth_report as growth


def rows():
    """Time as channels squared and batch to the half; memory constant."""
    made = []
    for name, values in growth.SWEEPS.items():
        for value in values:
            point = {**growth.MIDDLE, name: value}
            if any(point.items() <= row.items() for row in made):
                continue
            step = point["channels"] ** 2 * point["batch_size"] ** 0.5
            made.append(
                {**point, "step_cpu": step, "peak_gb": 2.0, "first_step_cpu": 3.0}
            )
    return made


def test_exponents_are_those_of_the_law():
    found = rows()
    for name, expected in (("channels", 2), ("batch_size", 0.5), ("space", 0)):
        own = growth.sweep(found, name)
        assert [row[name] for row in own] == list(growth.SWEEPS[name])
        assert growth.exponent(own, name, "step_cpu") == pytest.approx(expected)
        assert growth.exponent(own, name, "peak_gb") == pytest.approx(0)
    assert "| channels | 4, 8, 16, 32 | 2.00 (" in growth.table(found)
    assert "| candidates | 2, 3, 7, 8 |" in growth.table(found)
