"""Scalars wait until they are needed, and none that is bad gets by."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darts_tf.errors import DivergedError
from darts_tf.run.loop.running_means import Interval


class Pending:
    """A number that is computed when it is asked for."""

    def __init__(self, value: float):
        self.value, self.asked = value, 0

    def __float__(self) -> float:
        self.asked += 1
        return self.value


def test_adding_does_not_wait_and_settling_asks_once():
    value, interval = Pending(2.0), Interval()
    interval.add(1, {"train/loss": value})
    assert value.asked == 0 and interval.means() == {}
    interval.settle()
    interval.settle()
    assert value.asked == 1 and interval.means() == {"train/loss": 2.0}


def test_means_are_over_the_steps_that_gave_the_name():
    interval = Interval()
    interval.add(1, {"loss": np.float32(1), "accuracy": 0.5})
    interval.add(2, {"loss": 2})
    interval.add(3, {"loss": 6.0, "accuracy": 1.0})
    interval.settle()
    assert interval.means() == {"loss": 3.0, "accuracy": 0.75}


def test_means_lose_nothing_to_rounding():
    interval = Interval()
    for step, value in enumerate([1e16, 1.0, -1e16, 1.0]):
        interval.add(step, {"x": value})
    interval.settle()
    assert interval.means() == {"x": 0.5}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_bad_loss_is_named_with_its_step(value):
    interval = Interval()
    interval.add(7, {"train/loss": 1.0, "ratio": math.nan})
    interval.add(8, {"train/loss": value})
    interval.add(9, {"train/loss": math.nan})
    with pytest.raises(DivergedError) as error:
        interval.settle()
    assert str(error.value) == f"train/loss is {value} at step 8"


def test_a_new_interval_knows_nothing_of_the_last():
    interval = Interval()
    interval.add(1, {"loss": 1.0})
    interval.settle()
    interval.add(2, {"loss": math.nan})
    interval.clear()
    interval.settle()
    assert interval.means() == {} and interval.state() == {}


def test_state_goes_on_where_it_was():
    interval, other = Interval(), Interval()
    interval.add(1, {"loss": 0.1, "odd": math.nan})
    interval.add(2, {"loss": 0.2})
    interval.settle()
    arrays = interval.state()
    assert all(a.dtype == np.float64 and a.ndim == 1 for a in arrays.values())
    other.add(9, {"old": 1.0})
    other.settle()
    other.restore(arrays)
    for each in (interval, other):
        each.add(3, {"loss": 0.4})
        each.settle()
    assert other.means()["loss"] == interval.means()["loss"]
    assert other.means().keys() == {"loss", "odd"}
