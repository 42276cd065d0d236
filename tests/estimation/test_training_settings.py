"""The numbers of a training."""

from __future__ import annotations

import pytest

from darts_tf.estimation.training_settings import SCHEDULES, TrainingSettings


@pytest.mark.parametrize(
    "given, rates",
    [
        ({}, [0.1, 0.05]),
        ({"schedule": "exponential"}, [0.1, 0.1 * 0.97**2]),
        ({"schedule": "linear", "learning_rate_warmup": 4}, [0.25 * 0.1, 0.75 * 0.05]),
    ],
)
def test_the_settings_choose_the_schedule(given, rates):
    settings = TrainingSettings(4, 1, 8, learning_rate=0.1, **given)
    found = [settings.learning_rate_in(epoch) for epoch in (0, 2)]
    assert found == pytest.approx(rates)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_warm_up_a_schedule_starts_at_the_rate(schedule):
    settings = TrainingSettings(4, 1, 8, learning_rate=0.1, schedule=schedule)
    rates = [settings.learning_rate_in(epoch) for epoch in range(4)]
    assert rates[0] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)
