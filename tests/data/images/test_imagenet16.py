"""ImageNet16-120, from a small prepared stand-in."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data import available_memory
from darts_tf.data.images.imagenet16 import CLASSES
from darts_tf.data.images.loading import load_images
from darts_tf.errors import InputError
from tests.data.stand_ins import image, numbers, prepare

pytestmark = pytest.mark.usefixtures("offline")


def imagenet(monkeypatch, root, train, validation) -> str:
    """ImageNet's stand-in: the labels of its splits, in their order."""
    splits = {
        split: [
            {"image": image(start + i, 16), "label": label}
            for i, label in enumerate(labels)
        ]
        for split, start, labels in (
            ("train", 0, train),
            ("validation", 1000, validation),
        )
    }
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
    folder = imagenet(monkeypatch, tmp_path, range(1000), [0])
    kept = CLASSES * 16 * 16 * 3
    room = int(kept / available_memory.MEMORY_FRACTION) + 1
    monkeypatch.setattr(available_memory, "available_memory", lambda: room)
    assert load_images("imagenet16_120", data_dir=folder).train.size == 120
    with pytest.raises(InputError, match="1000 images of 16x16x3"):
        load_images("imagenet_resized/16x16", data_dir=folder)
    monkeypatch.setattr(available_memory, "available_memory", lambda: room - 3)
    with pytest.raises(InputError, match="120 images of 16x16x3"):
        load_images("imagenet16_120", data_dir=folder)


def test_a_split_without_the_first_classes_is_refused(monkeypatch, tmp_path):
    folder = imagenet(monkeypatch, tmp_path, range(120, 140), [0])
    with pytest.raises(InputError, match="'train' has no example of the"):
        load_images("imagenet16_120", data_dir=folder)


def test_what_is_not_there_is_named_as_tfds_names_it(tmp_path):
    with pytest.raises(InputError, match="imagenet_resized/16x16 is not pre"):
        load_images("imagenet16_120", data_dir=str(tmp_path))
