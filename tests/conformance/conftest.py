"""Fixtures of the comparisons with the authors' numbers."""

from __future__ import annotations

import pytest

from tests.precision import computed_in_float64


@pytest.fixture(scope="module")
def float64():
    """All layers of the module that asks for it compute in float64."""
    with computed_in_float64():
        yield
