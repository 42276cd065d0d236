"""Scalars are not awaited before they are needed, and bad ones raise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darts_tf.errors import DivergedError
from darts_tf.run.loop.running_means import RunningMeans


class Pending:
    """A number that is computed when it is read."""

    def __init__(self, value: float):
        self.value, self.asked = value, 0

    def __float__(self) -> float:
        self.asked += 1
        return self.value


def test_adding_does_not_wait_and_settling_asks_once():
    value, means = Pending(2.0), RunningMeans()
    means.add(1, {"train/loss": value})
    assert value.asked == 0 and means.means() == {}
    means.settle()
    means.settle()
    assert value.asked == 1 and means.means() == {"train/loss": 2.0}


def test_means_are_over_the_steps_that_gave_the_name():
    means = RunningMeans()
    means.add(1, {"loss": np.float32(1), "accuracy": 0.5})
    means.add(2, {"loss": 2})
    means.add(3, {"loss": 6.0, "accuracy": 1.0})
    means.settle()
    assert means.means() == {"loss": 3.0, "accuracy": 0.75}


def test_means_lose_nothing_to_rounding():
    means = RunningMeans()
    for step, value in enumerate([1e16, 1.0, -1e16, 1.0]):
        means.add(step, {"x": value})
    means.settle()
    assert means.means() == {"x": 0.5}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_bad_loss_is_named_with_its_step(value):
    means = RunningMeans()
    means.add(7, {"train/loss": 1.0, "ratio": math.nan})
    means.add(8, {"train/loss": value})
    means.add(9, {"train/loss": math.nan})
    with pytest.raises(DivergedError) as error:
        means.settle()
    assert str(error.value) == f"train/loss is {value} at step 8"


def test_a_new_interval_knows_nothing_of_the_last():
    means = RunningMeans()
    means.add(1, {"loss": 1.0})
    means.settle()
    means.add(2, {"loss": math.nan})
    means.clear()
    means.settle()
    assert means.means() == {} and means.state() == {}


def test_state_goes_on_where_it_was():
    means, other = RunningMeans(), RunningMeans()
    means.add(1, {"loss": 0.1, "odd": math.nan})
    means.add(2, {"loss": 0.2})
    means.settle()
    arrays = means.state()
    assert all(a.dtype == np.float64 and a.ndim == 1 for a in arrays.values())
    other.add(9, {"old": 1.0})
    other.settle()
    other.restore(arrays)
    for each in (means, other):
        each.add(3, {"loss": 0.4})
        each.settle()
    assert other.means()["loss"] == means.means()["loss"]
    assert other.means().keys() == {"loss", "odd"}
