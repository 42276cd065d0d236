"""CIFAR-100, SVHN and ImageNet16-120, from small prepared stand-ins.

TFDS's own builders write them, given made-up images: features, splits and
keys are the real ones, and nothing is downloaded.
"""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data.images import load_images
from darts_tf.data.imagenet16 import CLASSES
from darts_tf.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")
pytestmark = pytest.mark.usefixtures("offline")


def prepare(monkeypatch, root, name, splits, names=None) -> str:
    """Lets the builder of `name` write examples by split; gives the folder.

    `names`: of classes, by key, where the builder would read them from what
    it downloads.
    """
    builder = tfds.builder(name, data_dir=root)
    for key, values in (names or {}).items():
        builder.info.features[key].names = values

    def examples(split):
        yield from enumerate(splits[split])

    monkeypatch.setattr(
        type(builder), "_split_generators",
        lambda self, *_: {split: examples(split) for split in splits},
    )
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )
    return str(root)


def image(number, size=32) -> np.ndarray:
    """An image that holds its own number, below 65536."""
    return np.full((size, size, 3), [*divmod(number, 256), 7], np.uint8)


def numbers(part) -> list[int]:
    """Which images a part holds."""
    pixels = part.images[:, 0, 0].astype(int)
    return list(256 * pixels[:, 0] + pixels[:, 1])


def test_cifar100_has_its_hundred_fine_classes(monkeypatch, tmp_path):
    splits = {
        split: [
            {
                "id": f"{split}_{i}", "image": image(start + i),
                "label": i % 100, "coarse_label": 19 - i % 20,
            }
            for i in range(count)
        ]
        for split, start, count in (("train", 0, 200), ("test", 1000, 100))
    }  # fmt: skip
    fine = [f"fine {i}" for i in range(100)]
    coarse = [f"coarse {i}" for i in range(20)]
    folder = prepare(
        monkeypatch, tmp_path, "cifar100", splits,
        {"label": fine, "coarse_label": coarse},
    )
    data = load_images("cifar100", data_dir=folder)
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
    folder = prepare(monkeypatch, tmp_path, "svhn_cropped", splits)
    for file in (tmp_path / "svhn_cropped").glob("*/*-extra.tfrecord*"):
        file.unlink()
    data = load_images("svhn_cropped", data_dir=folder)
    assert data.num_classes == 10
    assert sorted(numbers(data.train)) == list(range(20))
    test = data.load_test()
    assert sorted(numbers(test)) == list(range(1000, 1020))
    np.testing.assert_array_equal(np.mod(numbers(test), 10), test.labels)


def imagenet(monkeypatch, root, train, validation) -> str:
    """ImageNet's stand-in: the labels of its splits, in their order."""
    splits = {
        split: [
            {"image": image(start + i, 16), "label": label}
            for i, label in enumerate(labels)
        ]
        for split, start, labels in (
            ("train", 0, train), ("validation", 1000, validation)
        )
    }  # fmt: skip
    return prepare(monkeypatch, root, "imagenet_resized/16x16", splits)


def test_imagenet16_120_is_the_first_120_classes(monkeypatch, tmp_path):
    train = [7 * i % 1000 for i in range(700)]
    folder = imagenet(monkeypatch, tmp_path, train, range(100, 140))
    data = load_images("imagenet16_120", data_dir=folder)
    assert data.name == "imagenet16_120" and data.num_classes == CLASSES
    # Chrabaszcz's order: kit fox, English setter, Siberian husky.
    assert data.class_names[:3] == ("n02119789", "n02100735", "n02110185")
    wanted = [i for i, label in enumerate(train) if label < 120]
    assert sorted(numbers(data.train)) == wanted and len(wanted) == 86
    for number, label in zip(numbers(data.train), data.train.labels):
        assert label == train[number]
    test = data.load_test()
    assert sorted(test.labels) == list(range(100, 120))
    assert sorted(numbers(test)) == list(range(1000, 1020))
    assert data.train.labels.dtype == test.labels.dtype == np.int32
    assert data.image_shape == (16, 16, 3)


def test_only_what_is_kept_has_to_fit_in_memory(monkeypatch, tmp_path):
    from darts_tf.data import pixels

    folder = imagenet(monkeypatch, tmp_path, range(1000), [0])
    kept = CLASSES * 16 * 16 * 3
    room = int(kept / pixels.MEMORY_FRACTION) + 1
    monkeypatch.setattr(pixels, "available_memory", lambda: room)
    assert load_images("imagenet16_120", data_dir=folder).train.size == 120
    with pytest.raises(InputError, match="1000 images of 16x16x3"):
        load_images("imagenet_resized/16x16", data_dir=folder)
    monkeypatch.setattr(pixels, "available_memory", lambda: room - 3)
    with pytest.raises(InputError, match="120 images of 16x16x3"):
        load_images("imagenet16_120", data_dir=folder)


def test_a_split_without_the_first_classes_is_refused(monkeypatch, tmp_path):
    folder = imagenet(monkeypatch, tmp_path, range(120, 140), [0])
    with pytest.raises(InputError, match="'train' has no example of the"):
        load_images("imagenet16_120", data_dir=folder)


def test_what_is_not_there_is_named_as_tfds_names_it(tmp_path):
    with pytest.raises(InputError, match="imagenet_resized/16x16 is not pre"):
        load_images("imagenet16_120", data_dir=str(tmp_path))
