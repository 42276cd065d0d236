"""Any TFDS set: tiny ones prepared here, and CIFAR-10 where it is."""

from __future__ import annotations

import os
import pathlib
import socket
import time

import numpy as np
import pytest

from darts_tf.data import available_memory
from darts_tf.data.images import splits
from darts_tf.data.images.loading import describe_images, load_images
from darts_tf.data.images.prepared import survey_prepared
from darts_tf.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")
pytestmark = pytest.mark.usefixtures("offline")

GREY = tfds.features.Image(shape=(12, 10, 1))
COLOUR = tfds.features.Image(shape=(None, None, 3))
CLASSES = ("circle", "cross", "square")


def write(root, name, splits, image=GREY, keys=("image", "label"), **more):
    """Prepares a set: a dict of split name -> list of (image, label)."""
    features = {
        "image": image,
        "label": tfds.features.ClassLabel(names=CLASSES),
        **more,
    }

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=keys,
        )

    def examples(split):
        for i, (x, y) in enumerate(splits[split]):
            yield i, {"image": x, "label": y, **dict.fromkeys(more, 0)}

    members = {
        "VERSION": tfds.core.Version("1.0.0"),
        "name": name,
        "pkg_dir_path": root,
        "_info": _info,
        "_split_generators": lambda self, _: {s: examples(s) for s in splits},
        "_generate_examples": lambda self: (),
    }
    with tfds.core.registered.skip_registration():
        kind = type("Shapes", (tfds.core.GeneratorBasedBuilder,), members)
    kind(data_dir=root).download_and_prepare(
        download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )


def greys(count, offset=0):
    """Images that hold their own number; labels go round."""
    return [(np.full((12, 10, 1), offset + i, np.uint8), i % 3) for i in range(count)]


def refusal(name, **more) -> str:
    with pytest.raises(InputError) as caught:
        load_images(name, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_set_without_test_split_keeps_a_fifth_for_it(tmp_path):
    write(tmp_path, "shapes", {"train": greys(30)})
    data = load_images("shapes", data_dir=str(tmp_path))
    test = data.load_test()
    assert data.class_names == CLASSES and data.image_shape == (12, 10, 1)
    np.testing.assert_array_equal(np.bincount(data.train.labels), [8] * 3)
    np.testing.assert_array_equal(np.bincount(test.labels), [2] * 3)
    kept, held = (p.images[:, 0, 0, 0] for p in (data.train, test))
    assert sorted([*kept, *held]) == list(range(30))
    np.testing.assert_array_equal(kept % 3, data.train.labels)
    np.testing.assert_array_equal(held % 3, test.labels)
    again = load_images("shapes", data_dir=str(tmp_path)).load_test()
    np.testing.assert_array_equal(again.images, test.images)


@pytest.mark.parametrize("named", [["validation"], ["validation", "test"]])
def test_the_last_named_split_is_the_test_part(tmp_path, named, monkeypatch):
    parts = {name: greys(6, 100 * (i + 1)) for i, name in enumerate(named)}
    write(tmp_path, "shapes", {"train": greys(9), **parts})
    read = []
    monkeypatch.setattr(
        splits.Source,
        "read",
        lambda self, split, real=splits.Source.read: (
            read.append(split) or real(self, split)
        ),
    )
    data = load_images("shapes", data_dir=str(tmp_path))
    assert data.train.size == 9 and read == ["train"]  # test is unread
    assert data.load_test().images[0, 0, 0, 0] >= 100 * len(named)
    assert read == ["train", named[-1]]


def test_sizes_that_differ_are_scaled_or_refused(tmp_path):
    examples = [(np.full((5 + i, 9, 3), 10 * i, np.uint8), i % 3) for i in range(9)]
    write(tmp_path, "photos", {"train": examples, "test": examples}, COLOUR)
    message = refusal("photos", data_dir=str(tmp_path))
    assert "several sizes" in message and "image_size" in message
    data = load_images("photos", data_dir=str(tmp_path), image_size=6)
    assert data.image_shape == data.load_test().images.shape[1:] == (6, 6, 3)
    assert set(data.train.images.ravel()) == set(range(0, 90, 10))


def test_features_are_found_without_supervised_keys(tmp_path):
    write(tmp_path, "shapes", {"train": greys(30)}, keys=None)
    assert load_images("shapes", data_dir=str(tmp_path)).train.size == 24


def test_a_set_without_class_label_is_refused(tmp_path):
    number = tfds.features.Scalar(np.int64)
    write(
        tmp_path,
        "ages",
        {"train": greys(9)},
        keys=("image", "age"),
        age=number,
    )
    message = refusal("ages", data_dir=str(tmp_path))
    assert "no image classification set" in message and "age" in message


def test_a_set_without_train_split_is_refused(tmp_path):
    write(tmp_path, "shapes", {"everything": greys(9)})
    message = refusal("shapes", data_dir=str(tmp_path))
    assert "no split 'train'" in message and "everything" in message


def test_more_than_memory_holds_is_refused_before_reading(tmp_path, monkeypatch):
    write(tmp_path, "shapes", {"train": greys(30)})
    monkeypatch.setattr(available_memory, "available_memory", lambda: 3000)
    monkeypatch.setattr(splits.Source, "read", lambda *_: pytest.fail("read"))
    message = refusal("shapes", data_dir=str(tmp_path))
    assert "30 images of 12x10x1" in message and "40%" in message


def test_sets_are_described_before_they_are_there(tmp_path):
    given = {"data_dir": str(tmp_path)}
    assert describe_images("cifar100", **given) == ((32, 32, 3), 100)
    assert describe_images("cifar100", image_size=9, **given)[0] == (9, 9, 3)
    shape, classes = describe_images("imagenet16_120", **given)
    assert (shape, classes) == ((16, 16, 3), 120)
    assert describe_images("digits") == ((8, 8, 1), 10)
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_gets_the_closest(tmp_path):
    message = refusal("cifar11", data_dir=str(tmp_path))
    assert "unknown data set 'cifar11'" in message and "cifar10" in message
    assert "digits" in refusal("digit", data_dir=str(tmp_path))


def test_a_community_set_is_unknown_without_asking_anyone(tmp_path):
    message = refusal("huggingface:mnist", data_dir=str(tmp_path))
    assert "unknown data set" in message


def test_an_unknown_configuration_is_refused(tmp_path):
    message = refusal("cifar10/odd", data_dir=str(tmp_path))
    assert "cifar10/odd" in message


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn_cropped"])
def test_a_set_that_is_not_there_says_how_to_get_it(tmp_path, name):
    began = time.monotonic()
    message = refusal(name, data_dir=str(tmp_path))
    assert f"{name} is not prepared in {tmp_path}" in message
    assert "`data_dir`" in message and "`download`" in message
    assert time.monotonic() - began < 5
    assert not list(tmp_path.iterdir())


def test_a_download_that_fails_is_one_line(tmp_path, monkeypatch):
    def fail(*arguments, **more):
        raise OSError("no route to host\nand more")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries
    message = refusal("svhn_cropped", data_dir=str(tmp_path), download=True)
    assert "svhn_cropped could not be downloaded" in message
    assert "`data_dir`" in message


@pytest.mark.parametrize("name", ["div2k", "titanic"])
def test_a_set_of_another_kind_is_refused_before_it_is_downloaded(
    tmp_path, monkeypatch, name
):
    def fail(*arguments, **more):
        raise AssertionError("a download was tried")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    message = refusal(name, data_dir=str(tmp_path), download=True)
    assert f"{name} is no image classification set: its features are" in message
    assert not list(tmp_path.iterdir())


def test_a_survey_describes_a_set_without_its_images(tmp_path):
    write(tmp_path, "shapes", {"train": greys(30), "test": greys(6)})
    described = survey_prepared("shapes", str(tmp_path), download=False)
    assert described == {
        "classes": 3,
        "train": 30,
        "smallest_class": None,
        "height": 12,
        "width": 10,
        "one_size": True,
        "channels": 1,
    }


def test_a_damaged_set_is_named(tmp_path):
    write(tmp_path, "shapes", {"train": greys(30), "test": greys(6)})
    (file,) = tmp_path.glob("shapes/*/shapes-train.*")
    file.write_bytes(file.read_bytes()[:-200])
    message = refusal("shapes", data_dir=str(tmp_path))
    assert "shapes" in message and "'train'" in message


def test_a_test_split_without_labels_counts_as_none(tmp_path):
    hidden = [(image, -1) for image, _ in greys(6)]
    write(
        tmp_path,
        "shapes",
        {
            "train": greys(9),
            "test": hidden,
            "validation": greys(4),
        },
    )
    data = load_images("shapes", data_dir=str(tmp_path))
    assert data.load_test().size == 4 and data.train.size == 9


def test_some_training_examples_without_a_label_are_refused(tmp_path):
    some = [*greys(8), (greys(1)[0][0], -1)]
    write(tmp_path, "shapes", {"train": some, "test": greys(4)})
    assert "without a label" in refusal("shapes", data_dir=str(tmp_path))


def test_a_damaged_test_split_is_named_at_the_start(tmp_path):
    write(tmp_path, "shapes", {"train": greys(9), "test": greys(6)})
    (file,) = tmp_path.glob("shapes/*/shapes-test.*")
    file.write_bytes(b"")
    message = refusal("shapes", data_dir=str(tmp_path))
    assert "'test'" in message and "prepare the set again" in message


@pytest.fixture
def cifar10():
    root = os.environ.get("DARTS_TF_DATA")
    if not root:
        pytest.skip("DARTS_TF_DATA is unset: a folder with tfds/cifar10")
    return str(pathlib.Path(root) / "tfds")


@pytest.mark.slow
def test_cifar10(cifar10):
    data = load_images("cifar10", data_dir=cifar10)
    assert data.train.images.shape == (50000, 32, 32, 3)
    assert data.class_names[0] == "airplane" and data.num_classes == 10
    np.testing.assert_array_equal(np.bincount(data.train.labels), [5000] * 10)
    mean = data.train.images.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(mean, [125.3, 123.0, 113.9], atol=2)
    test = data.load_test()
    np.testing.assert_array_equal(np.bincount(test.labels), [1000] * 10)
