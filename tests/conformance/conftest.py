"""What the comparisons with the authors' numbers share."""

from __future__ import annotations

import keras
import pytest


@pytest.fixture(scope="module")
def float64():
    """All layers of the module that asks for it compute in float64."""
    before = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    yield
    keras.config.set_dtype_policy(before[0])
    keras.config.set_floatx(before[1])
