"""A split is read whole, in its order, and refused where it is not."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images import splits
from darts_tf.data.images.splits import FirstClasses, Source
from darts_tf.errors import InputError

pytest.importorskip("tensorflow_datasets")
LABELS = np.arange(10) % 4
IMAGES = np.arange(10, dtype=np.uint8)[:, None, None, None] + np.zeros(
    (1, 6, 4, 1), np.uint8
)


def builder(labels=LABELS, counted=10, fails=False):
    """As TFDS's, of a set in memory."""

    def as_dataset(split, shuffle_files, decoders, read_config):
        assert split == "train" and not shuffle_files

        def examples():
            for picture, label in zip(IMAGES, labels):
                yield {"picture": picture, "kind": label}
            if fails:
                raise OSError("broken")

        return tf.data.Dataset.from_generator(
            examples,
            output_signature={
                "picture": tf.TensorSpec((6, 4, 1), tf.uint8),
                "kind": tf.TensorSpec((), tf.int64),
            },
        )

    names = ["zero", "one", "two", "three"]
    info = types.SimpleNamespace(
        features={"kind": types.SimpleNamespace(names=names)},
        splits={"train": types.SimpleNamespace(num_examples=counted)},
    )
    return types.SimpleNamespace(name="own", info=info, as_dataset=as_dataset)


def source(image_size=None, **more) -> Source:
    shape = (image_size,) * 2 + (1,) if image_size else (6, 4, 1)
    return Source(builder(**more), "picture", "kind", shape, image_size)


def test_a_split_is_read_in_its_order(monkeypatch):
    monkeypatch.setattr(splits, "READ_BATCH", 4)  # 4 + 4 + 2
    given = source()
    part = given.read("train")
    np.testing.assert_array_equal(part.images, IMAGES)
    np.testing.assert_array_equal(part.labels, LABELS)
    assert part.images.dtype == np.uint8 and part.labels.dtype == np.int32
    assert given.count("train") == given.expected_size("train") == 10
    assert given.class_names == ("zero", "one", "two", "three")


def test_images_are_scaled_where_they_should_be():
    part = source(image_size=2).read("train")
    assert part.images.shape == (10, 2, 2, 1)
    np.testing.assert_array_equal(part.images[:, 0, 0, 0], range(10))


@pytest.mark.parametrize(
    "more, words",
    [
        ({"counted": 11}, "has 10 of 11 examples"),
        ({"labels": [*LABELS[:-1], -1]}, "some without a label"),
        ({"labels": [], "counted": 0}, "has 0 of 0 examples"),
        ({"fails": True}, "'train' cannot be read"),
    ],
)
def test_what_is_not_whole_is_refused(more, words):
    with pytest.raises(InputError, match=words) as found:
        source(**more).read("train")
    assert "prepare the set again" in str(found.value)


def first(classes, **more) -> FirstClasses:
    return FirstClasses(builder(**more), "picture", "kind", (6, 4, 1), None, classes)


def test_only_the_first_classes_are_held():
    given = first(2)
    part = given.read("train")
    wanted = [0, 1, 4, 5, 8, 9]
    np.testing.assert_array_equal(part.images[:, 0, 0, 0], wanted)
    np.testing.assert_array_equal(part.labels, LABELS[wanted])
    assert part.labels.dtype == np.int32
    assert given.class_names == ("zero", "one")
    assert given.expected_size("train") == 5  # as if all had as many; six are there


def test_a_split_of_other_classes_only_is_refused():
    with pytest.raises(InputError, match="no example of the first 2 classes"):
        first(2, labels=LABELS % 2 + 2).read("train")


def test_an_errors_first_line():
    assert splits.first_line(ValueError("a b.\nc")) == "a b"
    assert splits.first_line(ValueError()) == "ValueError"
