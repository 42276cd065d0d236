"""Times of steps: medians, and waiting for the end of a step."""

import time

import pytest

from benchmarks.speed import step_times


class Sleeper:
    """A loop whose steps take as long as they are told to."""

    def __init__(self, *seconds):
        self._seconds = iter(seconds)

    def advance(self):
        time.sleep(next(self._seconds))
        return {"train/loss": 1.0}


def test_a_step_is_waited_for_by_the_clock_and_not_by_the_processor():
    seconds, cpu = step_times.timed(Sleeper(0.1))
    assert seconds >= 0.1 > cpu


def test_the_first_step_counts_from_the_start_of_the_process():
    found = step_times.first_step(Sleeper(0.15))
    assert found["first_step"] > found["built"] > 0
    assert found["built_gb"] > 0


def test_medians_and_the_slowest():
    told = step_times.summary([(3.0, 1.0), (1.0, 5.0), (2.0, 2.0)])
    assert told["step"] == 2.0 and told["step_cpu"] == 2.0
    assert told["slowest_step"] == 3.0
    assert told["peak_gb"] == pytest.approx(step_times.peak_gb(), abs=0.01)
