"""The study of predicted latencies: its errors, and its files."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.studies.latency import predictor
from darts_tf.space.architecture_string import from_string


def test_errors_of_predictions():
    measured = np.array([1.0, 2.0, 3.0, 4.0])
    exact = predictor.errors(measured, measured)
    assert (exact["r2"], exact["mape"], exact["bias"], exact["kendall"]) == (1, 0, 0, 1)
    low = predictor.errors(measured * 0.9, measured)
    assert low["mape"] == pytest.approx(0.1) and low["bias"] == pytest.approx(-0.1)
    assert low["r2"] == pytest.approx(1 - 0.3 / 5)
    assert low["r2_of_line"] == pytest.approx(1) and low["kendall"] == 1
    swapped = predictor.errors(np.array([2.0, 1.0, 3.0, 4.0]), measured)
    assert swapped["kendall"] == pytest.approx(4 / 6)


def test_lines_are_read_as_they_were_written(tmp_path):
    rows = [dict.fromkeys(predictor.COLUMNS, 0.5) | {"seed": n} for n in range(2)]
    path = tmp_path / "a.csv"
    assert predictor.read(path) == []
    path.write_text(predictor.as_csv(rows))
    assert predictor.read(path) == rows


def test_the_time_of_a_network_is_the_median_of_its_rounds():
    times = [(5.0, 3.0), (9.0, 1.0), (6.0, 2.0)]
    rows = [
        dict.fromkeys(predictor.COLUMNS, 0.5)
        | {"round": number, "seed": seed, "measured_ms": pair[seed]}
        for number, pair in enumerate(times)
        for seed in (0, 1)
    ]
    first, second = predictor.medians(rows)
    assert (first["seed"], first["measured_ms"], first["round"]) == (0, 6, 0)
    assert (second["seed"], second["measured_ms"]) == (1, 2)
    assert (first["parts_ms"], second["parts_ms"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("cell", "used"),
    [
        ("|a~0|+|a~0|a~1|+|a~0|a~1|a~2|", True),
        ("|a~0|+|none~0|none~1|+|a~0|a~1|none~2|", True),
        ("|a~0|+|a~0|none~1|+|a~0|a~1|none~2|", False),  # node 2 leads nowhere
        ("|none~0|+|a~0|a~1|+|a~0|none~1|a~2|", False),  # node 1 is zero
    ],
)
def test_an_operation_is_used_between_input_and_output(cell, used):
    genotype = from_string(cell.replace("a~", "nor_conv_3x3~"))
    assert predictor.all_used(genotype) == used
