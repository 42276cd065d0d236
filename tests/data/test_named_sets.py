"""CIFAR-100 and SVHN, from small prepared stand-ins."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data import from_tfds, load
from tests.data.stand_ins import image, numbers, prepare

pytestmark = pytest.mark.usefixtures("offline")


def test_cifar100_has_its_hundred_fine_classes(monkeypatch, tmp_path):
    splits = {
        split: [
            {
                "id": f"{split}_{i}",
                "image": image(start + i),
                "label": i % 100,
                "coarse_label": 19 - i % 20,
            }
            for i in range(count)
        ]
        for split, start, count in (("train", 0, 200), ("test", 1000, 100))
    }
    fine = [f"fine {i}" for i in range(100)]
    coarse = [f"coarse {i}" for i in range(20)]
    folder = prepare(
        monkeypatch,
        tmp_path,
        "cifar100",
        splits,
        {"label": fine, "coarse_label": coarse},
    )
    data = from_tfds("cifar100", data_dir=folder)
    assert data.fingerprint is None
    assert data.num_classes == 100 and data.class_names == tuple(fine)
    assert data.image_shape == (32, 32, 3)
    np.testing.assert_array_equal(np.bincount(data.train.labels), [2] * 100)
    for part, start in ((data.train, 0), (data.load_test(), 1000)):
        found = [number - start for number in numbers(part)]
        np.testing.assert_array_equal(np.mod(found, 100), part.labels)
        assert min(found) == 0


def test_svhns_extra_split_is_never_read(monkeypatch, tmp_path):
    splits = {
        split: [
            {"id": str(i), "image": image(start + i), "label": i % 10}
            for i in range(20)
        ]
        for split, start in (("train", 0), ("test", 1000), ("extra", 2000))
    }
    prepare(monkeypatch, tmp_path, "svhn_cropped", splits)
    for file in (tmp_path / "svhn_cropped").glob("*/*-extra.tfrecord*"):
        file.unlink()
    data = load("svhn_cropped", data_dir=tmp_path)
    assert data.num_classes == 10
    assert sorted(numbers(data.train)) == list(range(20))
    test = data.load_test()
    assert sorted(numbers(test)) == list(range(1000, 1020))
    np.testing.assert_array_equal(np.mod(numbers(test), 10), test.labels)
