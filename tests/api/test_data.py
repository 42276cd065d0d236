"""Every kind of data is searched and evaluated, with nothing written."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import darts_tf as dt
from tests.data.stand_ins import prepare

pytestmark = pytest.mark.slow


def of_arrays(arrays, folder, monkeypatch):
    x, y = arrays
    return dt.data.from_arrays(x, y, test=(x[:9], y[:9]))


def of_floats(arrays, folder, monkeypatch):
    return dt.data.from_arrays(arrays[0].mean(-1) / 255, arrays[1][:, None])


def of_folder(arrays, folder, monkeypatch):
    for number, (image, label) in enumerate(zip(*arrays)):
        path = folder / f"class {label}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(path)
    return dt.data.from_folder(folder)


def of_tfds(arrays, folder, monkeypatch):
    images = [np.resize(image, (32, 32, 3)) for image in arrays[0]]
    splits = {
        split: [
            {"id": f"{split}_{n}", "image": image, "label": int(label)}
            for n, (image, label) in enumerate(zip(images, arrays[1]))
        ]
        for split in ("train", "test")
    }
    prepare(monkeypatch, folder, "cifar10", splits)
    return dt.data.from_tfds("cifar10", data_dir=folder, image_size=8)


def of_datasets(arrays, folder, monkeypatch):
    pairs = tf.data.Dataset.from_tensor_slices(arrays)
    return dt.data.from_dataset(pairs, test=pairs.take(9).batch(4))


@pytest.mark.parametrize(
    "make, shape, tested",
    [
        (lambda *_: dt.data.load("digits"), (8, 8, 1), 359),
        (of_arrays, (8, 8, 3), 9),
        (of_floats, (8, 8, 1), 12),
        (of_folder, (8, 8, 3), 12),
        (of_tfds, (8, 8, 3), 60),
        (of_datasets, (8, 8, 3), 9),
    ],
    ids=["digits", "arrays", "floats", "folder", "tfds", "datasets"],
)
def test_images(
    make, shape, tested, arrays, search_config, training_config, nothing_written,
    tmp_path_factory, monkeypatch,
):  # fmt: skip
    data = make(arrays, tmp_path_factory.mktemp("data"), monkeypatch)
    assert data.image_shape == shape
    outcome = dt.search(data, search_config.replace(examples=48))
    assert outcome.genotype.space == "one_node" and outcome.workdir is None
    assert {a.shape for a in outcome.alpha.values()} == {(2, 2)}
    assert len(outcome.history) == 1 and outcome.plot().axes
    assert dt.draw_genotype(outcome.genotype).axes
    result = dt.evaluate(
        outcome.genotype, data, training_config.replace(examples=48)
    ).result
    assert result["test"]["images"] == tested and 0 <= result["test"]["error"] <= 1


def test_a_name_in_place_of_data(search_config, nothing_written):
    outcome = dt.search("digits", search_config.replace(examples=60))
    assert outcome.result["flags"]["dataset"] == "digits"


def test_text(tmp_path_factory, nothing_written):
    folder = tmp_path_factory.mktemp("text")
    random = np.random.default_rng(0)
    for part in ("train", "valid", "test"):
        words = random.choice("a b c d e".split(), 400)
        (folder / f"{part}.txt").write_text(" ".join(words) + "\n")
    data = dt.data.from_text(folder)
    sizes = {"hidden_size": 4, "bptt": 5, "batch_size": 8, "epochs": 1}
    config = dt.SearchConfig(method="first_order", **sizes)
    outcome = dt.search(data, config)
    assert outcome.genotype.space == "darts_recurrent"
    assert outcome.alpha["recurrent"].shape == (36, 5)
    # The name is that of a convolutional cell too.
    outcome = dt.evaluate("DARTS_V2", data, dt.TrainingConfig(**sizes))
    assert outcome.genotype.space == "darts_recurrent"
    assert 1 < outcome.result["test"]["perplexity"] < 1000
