"""The comparison of strategies: what is computed, and that it resumes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.studies.strategies import measure as benchmark
from benchmarks.studies.strategies import picture as strategies_picture
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED, Table
from darts_tf.run.pictures.genotypes import figure_to_array
from darts_tf.space.architecture_string import every_string


def table(valid, true) -> Table:
    rows = {}
    for string, v, t in zip(every_string(), valid, true):
        known = {SEARCHED: v, RANKED: t}
        rows[string] = tuple(known.get(name, 0.0) for name in ACCURACIES)
    return Table(rows)


def test_the_expectation_of_random_search_is_exact():
    valid, true = [3.0, 1.0, 2.0], [10.0, 40.0, 20.0]
    found = benchmark.expected(table(valid, true), 2)
    pairs = [(i, j) for i in range(3) for j in range(3)]
    best = [true[max(pair, key=lambda i: valid[i])] for pair in pairs]
    assert found == pytest.approx([np.mean(true), np.mean(best)])


def test_an_incumbent_lasts_until_the_next_one():
    found = {"evaluations": 6, "incumbents": [[1, 0, 5.0], [3, 0, 4.0], [6, 0, 9.0]]}
    assert list(benchmark.curve(found)) == [5, 5, 4, 4, 4, 9]


def test_the_permutation_test():
    one = np.arange(8.0)
    assert benchmark.p_value(one, one) == 1
    assert benchmark.p_value(one, one + 0.1) > 0.5
    assert benchmark.p_value(one, one + 20) < 0.002


@pytest.mark.slow
def test_a_search_and_its_picture(tmp_path):
    generator = np.random.default_rng(0)
    valid = generator.uniform(50, 90, 15_625)
    own = table(valid, valid + 4)
    found = benchmark.search("evolution", 3, own, 20)
    assert json.loads(json.dumps(found)) == found
    steps, told, true = zip(*found["incumbents"])
    assert steps[0] == 1 and list(told) == sorted(told)
    assert np.subtract(true, told) == pytest.approx(4)
    values = np.stack([benchmark.curve(found)] * 2)
    assert values.shape == (2, 20)
    figure = strategies_picture.draw(
        {"evolution": values},
        benchmark.expected(own, 20),
        benchmark.columns(own),
        {"darts": [86.0, 88.0]},
    )
    across = [
        line for line in figure.axes[0].lines if "darts, 2 seeds" in line.get_label()
    ]
    assert set(across[0].get_ydata()) == {87.0}
    assert np.ptp(figure_to_array(figure)) > 0


def test_searches_by_descent_count_when_finished(tmp_path):
    path = tmp_path / "searches.jsonl"
    rows = [
        {"method": "darts", "finished": True, RANKED: [80.0, 90.0]},
        {"method": "darts", "finished": False, RANKED: [10.0]},
        {"method": "random", "finished": True, RANKED: [50.0]},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert benchmark.by_descent(str(path)) == {"darts": [90.0]}
    assert benchmark.by_descent(None) == {}
