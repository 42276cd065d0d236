"""A training reads the test part at its end, once; one that only chooses never."""

from __future__ import annotations

import json
import types

import numpy as np
import pytest

from darts_tf.config import TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.data.images.dataset import ImageData, Part
from darts_tf.errors import InputError
from darts_tf.programs import images, records
from darts_tf.programs.image_data import Data
from darts_tf.programs.images import ImageProgramTask
from darts_tf.run.loop.driver import Summary
from darts_tf.run.workdir import Workdir
from darts_tf.space.published import load_genotype


class Counting:
    """Reads a test part of four images, and counts how often."""

    def __init__(self):
        self.read = 0

    def __call__(self) -> Part:
        self.read += 1
        return Part(np.zeros((4, 8, 8, 1), np.uint8), np.array([0, 0, 0, 1]))


LOOP = types.SimpleNamespace(
    genotype=load_genotype("DARTS_V2"),
    replicas=types.SimpleNamespace(chief=True, count=1, total=lambda number: number),
    accuracy=lambda batches: 0.75,
    confusion=lambda batches: np.array([[2, 1], [0, 1]]),
    best_accuracy=0.8,
    best_epoch=1,
    model=None,
)


@pytest.fixture
def parts(tmp_path):
    """Returns a function: the parts of which the confusions are known."""
    return lambda: np.load(tmp_path / "confusion.npz").files


@pytest.fixture
def finish(tmp_path, monkeypatch):
    """Returns finish(**settings), the end of a training, and the reader."""
    monkeypatch.setattr(images, "once", lambda *_: ())
    monkeypatch.setattr(images.counts, "parameters", lambda model: 1)
    monkeypatch.setattr(images.counts, "multiply_adds", lambda model, shape: 1)
    monkeypatch.setattr(ImageProgramTask, "write_example", lambda *_: None)
    # A report reads settings, which this folder has not.
    monkeypatch.setattr(records.report, "write", lambda path: None)
    counting, workdir = Counting(), Workdir(tmp_path)
    train = Part(np.zeros((3, 8, 8, 1), np.uint8), np.array([0, 1, 1]))
    whole = ImageData("arrays", ("a", "b"), train, counting)
    data = Data(whole, [train, train], (np.zeros(1), np.ones(1)))

    def finish(**settings):
        config = TrainingConfig(valid_fraction=0.5, **settings)
        task, cost = ImageProgramTask(), Summary(1.0, 1.0, 1)
        text = records.finish_evaluation(
            workdir, LOOP, task, data, cost, config, {"seed": 0}
        )
        return text, json.loads(workdir.result.read_text())

    return finish, counting


def test_it_is_read_once(finish, parts):
    finish, counting = finish
    text, result = finish()
    shares = [pytest.approx(2 / 3), 1.0]
    test = {"error": 0.25, "images": 4, "largest_class_share": 0.75}
    assert result["test"] == test | {"class_accuracy": shares}
    assert "25.00%" in text and parts() == ["test"]
    assert result["chance"] == {"error": 0.75, "answer": "b"}
    assert finish()[1] == result and counting.read == 1


def test_a_training_that_only_chooses_leaves_it_unread(finish, parts):
    finish, counting = finish
    text, result = finish(test=False)
    assert not {"test", "chance"} & result.keys() and result["valid"]["error"] == 0.25
    assert "not measured (--notest)" in text
    assert finish(test=False)[1] == result and counting.read == 0
    assert parts() == ["valid"]
    assert finish()[1]["test"]["images"] == 4 and counting.read == 1
    assert finish(test=False)[1]["test"]["images"] == 4 and counting.read == 1


def test_a_training_has_to_measure_something():
    with pytest.raises(InputError, match="`test=False` with `valid_fraction=0`"):
        settle(TrainingConfig(test=False))
    settle(TrainingConfig(test=False, valid_fraction=0.1))
    settle(TrainingConfig(test=False, space="darts_recurrent"))
