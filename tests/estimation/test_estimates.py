"""Estimates of accuracy and of perplexity."""

from __future__ import annotations

import math

import pytest

from darts_tf.estimation.estimates import of_accuracy, of_perplexity


def test_accuracy_and_the_error_of_the_images_drawn():
    found = of_accuracy(0.9, 12.0, images=400)
    assert (found.worth, found.seconds) == (0.9, 12.0)
    assert found.valid == {"accuracy": 0.9}
    assert found.deviation == pytest.approx(math.sqrt(0.9 * 0.1 / 400))
    assert of_accuracy(0.9, 12.0).deviation is None


def test_the_lower_perplexity_is_worth_more():
    good, bad = of_perplexity(60.0, 1.0), of_perplexity(80.0, 1.0)
    assert good.worth > bad.worth
    assert math.exp(-good.worth) == pytest.approx(60)
    assert good.valid == {"perplexity": 60.0}
