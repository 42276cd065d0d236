"""The step timer, with a clock that the tests set."""

from __future__ import annotations

import math

import pytest

from darts_tf.run.loop import step_timer


@pytest.fixture
def now(monkeypatch):
    """The time, in a list of one."""
    time = [100.0]
    monkeypatch.setattr(step_timer.time, "monotonic", lambda: time[0])
    return time


def test_seconds_add_up_over_starts(now):
    first = step_timer.StepTimer()
    now[0] += 5
    second = step_timer.StepTimer()
    second.restore(first.state())
    now[0] += 2
    assert second.seconds == 7


def test_the_first_step_is_measured_from_the_start_and_only_once(now):
    first = step_timer.StepTimer()
    assert math.isnan(first.first_step) and not first.times_steps
    now[0] += 30
    first.end_first_step()
    assert first.first_step == 30 and first.times_steps
    second = step_timer.StepTimer()
    second.restore(first.state())
    assert not second.times_steps  # it compiles anew
    now[0] += 9
    second.end_first_step()
    assert second.first_step == 30


def test_speed_is_of_finished_steps_without_what_lies_between(now):
    timer = step_timer.StepTimer()
    now[0] += 30
    timer.lap()  # still in the first step
    timer.end_first_step()
    assert timer.speed() is None
    for _ in range(6):
        timer.add_step()
    now[0] += 2
    timer.lap()
    now[0] += 50  # a checkpoint
    timer.skip()
    timer.add_step()
    now[0] += 1.5
    timer.lap()
    assert timer.speed() == 7 / 3.5
    assert timer.speed() is None


def test_steps_that_take_no_time_at_all_divide_nothing_by_zero(now):
    timer = step_timer.StepTimer()
    timer.end_first_step()
    timer.add_step()
    timer.lap()
    assert math.isfinite(timer.speed())


def test_a_checkpoint_without_times_starts_from_zero(now):
    timer = step_timer.StepTimer()
    timer.restore({"pending/loss": [1.0]})
    assert timer.seconds == 0 and math.isnan(timer.first_step)
