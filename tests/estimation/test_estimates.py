"""Every estimator answers in the same words."""

from __future__ import annotations

import math

import pytest

from darts_tf.estimation.estimates import of_accuracy, of_perplexity
from darts_tf.estimation.table import TableEstimator
from darts_tf.space.architecture_string import from_string

CELL = from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")


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


def test_a_table_tells_one_column_and_no_certainty(tmp_path):
    def lookup(genotype):
        assert genotype == CELL
        return {"valid": 71.5, "test": 99.0}

    found = TableEstimator(lookup, "valid")(CELL, tmp_path / "unused")
    assert found.worth == pytest.approx(0.715)
    assert found.valid == {"accuracy": found.worth}
    assert found.deviation is None and 0 <= found.seconds < 1
    assert not (tmp_path / "unused").exists()
