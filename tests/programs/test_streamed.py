"""An evaluation and a search on images that stay in their files."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest

from darts_tf.config import TrainingConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.programs import image_data, setup
from darts_tf.programs.images import ImageProgramTask
from darts_tf.space.published import CONVOLUTIONAL
from tests import imagenet

pytest.importorskip("tensorflow_datasets")
ONE = Replicas("one_device")
CONFIG = pathlib.Path("configs/imagenet/evaluate.flags")
DATA = {
    "space": "darts_conv",
    "dataset": "imagenet2012",
    "download": False,
    "image_size": 8,
    "stream": True,
    "examples": 0,
    "crop_padding": 0,
    "flip": True,
    "cutout_length": 0,
    "resized_crop": True,
    "colour_jitter": 0.4,
    "seed": 3,
    "batch_size": 4,
}
TRAINING = DATA | {
    "valid_fraction": 0.0,
    "network": "cifar",
    "auxiliary_weight": 0.0,
    "drop_path": 0.0,
    "channels": 1,
    "layers": 3,
    "epochs": 2,
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "clip_norm": 5.0,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """22 and 9 images, and 3 whose labels are hidden."""
    counts = {"train": 22, "validation": 9, "test": 3}
    return imagenet.prepare(tmp_path_factory.mktemp("imagenet"), counts)


def training(folder):
    config = TrainingConfig(**TRAINING, data_dir=folder)
    setup.keras.utils.set_random_seed(0)
    cell, task = CONVOLUTIONAL["DARTS_V2"], ImageProgramTask()
    return task.training(config, cell, ONE, task.training_data(config))


@pytest.mark.slow
def test_a_training_goes_on_in_the_middle_of_an_epoch(folder):
    whole = training(folder)
    losses = [float(whole.advance()["train/loss"]) for _ in range(5)]
    start = training(folder)
    first = [float(start.advance()["train/loss"]) for _ in range(3)]
    state = start.state()
    again = training(folder)
    again.restore(state)
    last = [float(again.advance()["train/loss"]) for _ in range(2)]
    np.testing.assert_allclose(first + last, losses, rtol=1e-5)
    assert len(set(losses)) == 5


@pytest.mark.slow
def test_the_papers_flagfile_on_a_small_stand_in(folder, programs, tmp_path):
    out = tmp_path / "run"
    output = programs.run(
        "evaluate",
        f"--flagfile={CONFIG}",
        "--genotype=DARTS_V2",
        f"--data_dir={folder}",
        f"--workdir={out}",
        "--image_size=32",
        "--max_multiply_adds=0",
        "--channels=2",
        "--layers=3",
        "--auxiliary_weight=0",
        "--epochs=1",
        "--batch_size=8",
    )
    assert "9 images" in output
    result = json.loads((out / "result.json").read_text())
    test = result["test"]
    assert test["images"] == 9 and 0 <= test["top5_error"] <= test["error"]
    rows = [json.loads(row) for row in (out / "metrics.jsonl").read_text().splitlines()]
    assert max(row["step"] for row in rows) == 22 // 8
    again = programs.run(
        "evaluate", f"--flagfile={out / 'flags.txt'}", f"--workdir={out}"
    )
    assert "9 images" in again


@pytest.mark.slow
def test_a_search_has_two_parts_or_their_union(tmp_path, monkeypatch):
    """Each class is in both."""
    monkeypatch.setattr(imagenet, "label_of", lambda number: number % 2)
    folder = imagenet.prepare(tmp_path, {"train": 20, "validation": 4})
    flags = TrainingConfig(**DATA, data_dir=folder)
    data = image_data.load_data(flags, [0.5, 0.5])
    first, second = data.parts
    for part in (first, second):
        np.testing.assert_array_equal(np.bincount(part.labels), [5, 5])
    union, _, held_out = image_data.united(data).parts
    assert union.size == 20 and held_out is second
    batches = image_data.Batches(flags, data, 1, ONE)
    for augmented in (True, False):
        stream = batches.augmented if augmented else batches.plain
        x, y = next(iter(stream(0)))
        assert x.shape == (4, 8, 8, 3) and set(y.numpy()) <= {0, 1}
    seen = np.concatenate([y for _, y in batches.once()])
    np.testing.assert_array_equal(seen, second.labels)


@pytest.mark.slow
def test_examples_are_a_part_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(imagenet, "label_of", lambda number: number % 2)
    folder = imagenet.prepare(tmp_path, {"train": 20, "validation": 4})
    some = TrainingConfig(**DATA | {"data_dir": folder, "examples": 8})
    (part,) = image_data.load_data(some, [1.0]).parts
    np.testing.assert_array_equal(np.bincount(part.labels), [4, 4])
    many = some.replace(examples=21)
    with pytest.raises(InputError, match="has 20 training images"):
        image_data.load_data(many, [1.0])
