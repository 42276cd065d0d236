"""Rank correlations, and what the benchmark makes of estimates."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
import pytest

from benchmarks.studies.estimators import report
from benchmarks.studies.estimators.ranks import interval, kendall, ranks, spearman
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED
from darts_tf.run.pictures.genotypes import figure_to_array
from darts_tf.space.architecture_string import every_string, from_string
from tests.scripts import ended

STRINGS = list(every_string())


def test_ranks_of_equals_are_shared():
    assert list(ranks([5, 1, 5, 3, 5])) == [4, 1, 4, 2, 4]


def test_by_hand():
    # Ranks 1 2 3 4 against 1 3 2 4: d = 0, 1, 1, 0; 1 - 6 * 2 / (4 * 15).
    one, other = [0.1, 0.2, 0.3, 0.4], [1, 30, 20, 400]
    assert spearman(one, other) == pytest.approx(0.8)
    assert kendall(one, other) == pytest.approx(4 / 6)
    for statistic in (spearman, kendall):
        assert statistic(one, one) == pytest.approx(1)
        assert statistic(one, one[::-1]) == pytest.approx(-1)
        assert np.isnan(statistic([1, 1, 1, 1], one))


def test_with_ties_as_defined():
    random = np.random.default_rng(0)
    for _ in range(10):
        x, y = random.integers(0, 4, (2, 9))
        places = np.array(
            [[(v < a).sum() + ((v == a).sum() + 1) / 2 for a in v] for v in (x, y)]
        )
        assert spearman(x, y) == pytest.approx(np.corrcoef(places)[0, 1])
        same = tied_x = tied_y = 0
        pairs = list(itertools.combinations(range(9), 2))
        for i, j in pairs:
            same += np.sign((x[i] - x[j]) * (y[i] - y[j]))
            tied_x += x[i] == x[j]
            tied_y += y[i] == y[j]
        every = len(pairs)
        tau = same / np.sqrt((every - tied_x) * (every - tied_y))
        assert kendall(x, y) == pytest.approx(tau)


@pytest.mark.slow
def test_the_interval_covers_what_is_known():
    """Pairs of normals with correlation 0.5: Spearman 6/pi asin(1/4)."""
    random, inside = np.random.default_rng(0), 0
    for _ in range(20):
        x = random.standard_normal(40)
        y = 0.5 * x + np.sqrt(0.75) * random.standard_normal(40)
        low, high = interval(spearman, x, y)
        inside += low <= 6 / np.pi * np.arcsin(0.25) <= high
    assert inside >= 16


@pytest.fixture
def study(tmp_path):
    """(table's path, runs) with two finished estimators of three cells."""
    rows = [",".join(("architecture", *ACCURACIES))]
    for index, string in enumerate(STRINGS):
        known = {RANKED: index / 200, SEARCHED: 100 - index / 200}
        rows.append(",".join((string, *(str(known.get(n, 9)) for n in ACCURACIES))))
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    for name, worths in (("good", (0.1, 0.2, 0.3, 0.2)), ("bad", (0.3, 0.2, 0.1, 0.2))):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (tmp_path / f"{name}.flags").write_text("--epochs=1\n")
        lines = [
            {
                "step": step,
                "worth": worth,
                "seconds": 2.0 * step,
                "deviation": None,
                "genotype": json.loads(from_string(STRINGS[cell]).to_json()),
            }
            for step, (worth, cell) in enumerate(zip(worths, (10, 500, 9000, 500)), 1)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "evaluations.jsonl").write_text(text)
    return tmp_path


def started(study, *more) -> tuple[int, str]:
    """Returns (exit code, output)."""
    names = ",".join(str(study / f"{n}.flags") for n in ("good", "bad"))
    return ended(
        "--cells=4",
        f"--nasbench201_table={study / 'table.csv'}",
        f"--runs={study / 'runs'}",
        f"--out={study / 'out'}",
        f"--flagfiles={names}",
        *more,
        module="benchmarks.studies.estimators.measure",
    )


@pytest.mark.slow
def test_a_finished_study_is_reported_and_not_run_again(study):
    code, output = started(study)
    assert code == 0, output
    rows = output.splitlines()[2:]
    assert rows[0].startswith("| good | 3 | 1.00 (")  # one cell came twice
    assert rows[0].endswith("| 1.00 | 4.0 |")
    assert rows[1].startswith("| bad | 3 | -1.00 (")
    assert rows[2].startswith("| table, 12 epochs | 3 | -1.00 (")
    lines = map(json.loads, (study / "out/estimators.jsonl").open())
    assert [(x["estimator"], x["true"]) for x in lines] == [
        (name, true)
        for name in ("good", "bad", report.TABLE)
        for true in (0.05, 2.5, 45.0)
    ]
    assert (study / "out" / "estimators.png").stat().st_size

    # The lines of a search that is gone are kept.
    text = (study / "out/estimators.jsonl").read_text()
    shutil.rmtree(study / "runs" / "good")
    (study / "runs" / "bad" / "evaluations.jsonl").unlink()
    only = ("--report_only", f"--flagfiles={study / 'bad.flags'}")
    assert started(study, "--report_only") == (code, output)
    assert (study / "out/estimators.jsonl").read_text() == text
    rows = started(study, *only)[1].splitlines()[2:]
    assert [row[:6] for row in rows] == ["| bad ", "| tabl"]


@pytest.mark.slow
def test_bad_input(study):
    code, output = started(study, "--flagfiles=no.flags")
    assert code == 2 and "no.flags" in output
    code, output = started(study, f"--runs={study}", "--report_only")
    assert code == 2 and "three estimates" in output
    assert len(output.splitlines()) == 1


def test_the_picture_has_every_cell(study):
    lines = [
        {"worth": w, "true": t}
        for w, t in [(0.1, 90.0), (0.2, 91.0), (0.3, 92.0), (0.2, 10.0)]
    ]
    figure = report.draw({"good": lines})
    drawn = [y for line in figure.axes[0].lines for y in line.get_ydata()]
    assert len(drawn) == 4 and min(drawn) > 80
    assert figure_to_array(figure).std() > 0
