"""A benchmark's table as an estimator."""

from __future__ import annotations

import pytest

from darts_tf.estimation.table import TableEstimator
from darts_tf.space.architecture_string import from_string

CELL = from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")


def test_a_table_tells_one_column_and_no_certainty(tmp_path):
    def lookup(genotype):
        assert genotype == CELL
        return {"valid": 71.5, "test": 99.0}

    found = TableEstimator(lookup, "valid")(CELL, tmp_path / "unused")
    assert found.worth == pytest.approx(0.715)
    assert found.valid == {"accuracy": found.worth}
    assert found.deviation is None and 0 <= found.seconds < 1
    assert not (tmp_path / "unused").exists()
