"""evaluations.jsonl: no estimate is lost, no question is asked twice."""

from __future__ import annotations

import json

import pytest

from darts_tf.errors import InputError
from darts_tf.estimation.estimates import of_accuracy
from darts_tf.programs.evaluation_log import EvaluationLog
from darts_tf.run.workdir import Workdir
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype

CELLS = [random_genotype(SPACE, seed) for seed in range(4)]
WORTH = dict(zip(CELLS, (0.5, 0.75, 0.25, 0.875)))


class Estimator:
    """Leaves weights behind, as a training does."""

    def __init__(self):
        self.asked = []

    def __call__(self, genotype, folder):
        self.asked.append(genotype)
        (folder / "checkpoints").mkdir(parents=True)
        (folder / "metrics.jsonl").write_text("kept")
        return of_accuracy(WORTH[genotype], 3.0, images=100)


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path)


def told(workdir, cells, estimator=None) -> list:
    """Returns the estimates of a fresh log for these cells, in turn."""
    log = EvaluationLog(workdir, estimator or Estimator())
    return [log.estimate(cell, i) for i, cell in enumerate(cells, 1)]


def lines(workdir) -> list[dict]:
    return [json.loads(x) for x in workdir.evaluations.open()]


def test_a_line_for_each_evaluation(workdir):
    told(workdir, CELLS)
    found = lines(workdir)
    assert [r["step"] for r in found] == [1, 2, 3, 4]
    assert [r["worth"] for r in found] == list(WORTH.values())
    assert [r["incumbent"] for r in found] == [0.5, 0.75, 0.75, 0.875]
    assert found[1]["genotype"] == json.loads(CELLS[1].to_json())
    assert found[1]["seconds"] == 3.0 and found[1]["deviation"] > 0


class Trainer:
    """Trains in a folder for some epochs; its clock counts all of them."""

    def __init__(self):
        self.asked = []

    def __call__(self, genotype, folder, epochs):
        self.asked.append((folder.name, epochs))
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        return of_accuracy(WORTH[genotype] - 0.1 * (epochs > 1), float(epochs))


def test_a_promoted_training_goes_on_in_its_folder(workdir):
    steps = [(CELLS[0], 0), (CELLS[1], 0), (CELLS[1], 1), (CELLS[2], 0), (CELLS[1], 2)]
    trainer = Trainer()

    def told_on_rungs(steps, trainer):
        log = EvaluationLog(workdir, trainer, (1, 3, 9))
        return [log.estimate(c, n, r) for n, (c, r) in enumerate(steps, 1)]

    told_on_rungs(steps[:3], trainer)
    assert trainer.asked == [("0001", 1), ("0002", 1), ("0002", 3)]
    weights = workdir.path / "evaluations" / "0002" / "checkpoints"
    assert weights.is_dir()  # it may be promoted again
    again = Trainer()
    told_on_rungs(steps, again)
    assert again.asked == [("0004", 1), ("0002", 9)]  # the others are known
    assert not weights.exists()
    found = lines(workdir)
    assert [r["rung"] for r in found] == [0, 0, 1, 0, 2]
    assert [r["epochs"] for r in found] == [1, 1, 3, 1, 9]
    assert [r["seconds"] for r in found] == [1, 1, 2, 1, 6]  # its own ones
    assert [r["incumbent"] for r in found] == pytest.approx([0.5, 0.75, *[0.65] * 3])
    with pytest.raises(InputError, match="another genotype"):
        told_on_rungs([(CELLS[0], 1)], again)


def test_weights_go_when_the_line_is_written(workdir):
    told(workdir, CELLS[:1])
    folder = workdir.path / "evaluations" / "0001"
    assert [path.name for path in folder.iterdir()] == ["metrics.jsonl"]


def test_proposed_again_it_costs_nothing_and_counts(workdir):
    estimator = Estimator()
    first, _, again = told(workdir, [CELLS[0], CELLS[1], CELLS[0]], estimator)
    assert estimator.asked == CELLS[:2]
    assert again.worth == first.worth and again.seconds == 0
    assert [r["known"] for r in lines(workdir)] == [False, False, True]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
@pytest.mark.parametrize("torn", ["", '{"step": 9, "wor', "x" * 9])
def test_after_a_kill_the_file_answers(workdir, kept, torn):
    cells = [CELLS[0], CELLS[1], CELLS[0], CELLS[2]]
    before = told(workdir, cells)
    content = workdir.evaluations.read_text().splitlines(keepends=True)
    workdir.evaluations.write_text("".join(content[:kept]) + torn)
    for path in (workdir.path / "evaluations").iterdir():
        (path / "metrics.jsonl").unlink()
        path.rmdir()
    estimator = Estimator()
    assert told(workdir, cells, estimator) == before
    assert workdir.evaluations.read_text() == "".join(content)
    new = [cell for cell in (CELLS[0], CELLS[1], CELLS[2]) if cell not in cells[:kept]]
    assert estimator.asked == new


def test_another_genotype_in_the_file_is_refused(workdir):
    told(workdir, CELLS[:2])
    before = workdir.evaluations.read_bytes()
    with pytest.raises(InputError, match="line 2 has another genotype"):
        told(workdir, [CELLS[0], CELLS[3]])
    assert workdir.evaluations.read_bytes() == before


def test_a_damaged_line_in_the_middle_is_named(workdir):
    told(workdir, CELLS[:3])
    content = workdir.evaluations.read_text().splitlines(keepends=True)
    content[1] = "{}\n"
    workdir.evaluations.write_text("".join(content))
    with pytest.raises(InputError, match="line 2"):
        told(workdir, CELLS)
