"""Networks above `max_multiply_adds` or `max_parameters` are refused before data."""

from __future__ import annotations

import keras
import pytest

from darts_tf.config import TrainingConfig
from darts_tf.errors import InputError
from darts_tf.programs import multiply_adds_limit


def built(classes: int, shape) -> keras.Model:
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes)]
    return keras.Sequential(layers)


PRODUCTS, PARAMETERS = 32 * 32 * 3 * 100, 32 * 32 * 3 * 100 + 100


@pytest.mark.parametrize(
    "name, count, words",
    [
        ("max_multiply_adds", PRODUCTS, "multiply-adds on an image of 32x32, more"),
        (
            "max_parameters",
            PARAMETERS,
            "parameters, more than `max_parameters=307,299`",
        ),
    ],
)
def test_one_too_many_is_refused(name, count, words):
    multiply_adds_limit.check(
        TrainingConfig(dataset="cifar100", **{name: count}), built
    )
    config = TrainingConfig(dataset="cifar100", **{name: count - 1})
    with pytest.raises(InputError, match=words) as refused:
        multiply_adds_limit.check(config, built)
    assert f"has {count:,} " in str(refused.value)


def test_without_limits_nothing_is_built():
    multiply_adds_limit.check(TrainingConfig(dataset="cifar100"), None)
