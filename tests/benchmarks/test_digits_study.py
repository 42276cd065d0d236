"""The table of the digits study, from folders of pipelines."""

from __future__ import annotations

import json

import pytest

from benchmarks.studies.digits.table import difference, table, trainings


@pytest.fixture
def study(tmp_path):
    """Two pipelines, of which the first has two random cells."""

    def result(folder, error: float, seed: int) -> None:
        folder.mkdir(parents=True)
        content = {
            "seed": seed,
            "test": {"error": error, "images": 359},
            "parameters": 5,
            "seconds": 20.0,
        }
        (folder / "result.json").write_text(json.dumps(content))

    for seed, error in ((0, 0.01), (1, 0.02)):
        root = tmp_path / f"seed_{seed}"
        result(root / "search", error, seed)
        result(root / "evaluate", error, seed)
        lines = [
            {"kind": "epoch", "step": step, "entropy/normal": 2.0 - step / 10}
            for step in (1, 2)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (root / "search" / "metrics.jsonl").write_text(text)
    for number, error in enumerate((0.03, 0.05)):
        result(tmp_path / "seed_0" / "compare" / f"random_{number}", error, 0)
    return tmp_path


def test_every_training_is_a_record(study):
    records = [*trainings(study)]
    assert [r["kind"] for r in records] == ["searched", "searched", "random", "random"]
    assert records[0]["entropy_first"] == pytest.approx(1.9)
    assert records[0]["entropy_last"] == pytest.approx(1.8)
    assert records[3]["cell"] == "random_1"


def test_the_table_has_means_deviations_and_their_difference(study):
    lines = table([*trainings(study)]).splitlines()
    assert lines[2] == "| searched | 2 | 1.50 ± 0.71 | 1.00, 2.00 |"
    assert lines[3] == "| random | 2 | 4.00 ± 1.41 | 3.00, 5.00 |"
    # sqrt(0.5 / 2 + 2 / 2)
    assert lines[-1] == "Difference of the means: -2.50 points, standard error 1.12."


def test_an_unfinished_study_has_no_difference(study):
    records = [r for r in trainings(study) if r["kind"] == "searched"]
    assert "Difference" not in table(records)
    assert "standard error" in difference([1.0, 2.0], [1.0, 3.0])
