"""The digits against their file and their licence."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from darts_tf.data.images import digits
from darts_tf.data.images.digits import load_digits

ARRAYS = {"train_images", "train_labels", "test_images", "test_labels"}
LICENCE = pathlib.Path(digits.__file__).with_name("DIGITS_LICENSE.md")


@pytest.fixture(scope="module")
def parts():
    data = load_digits()
    return {"train": data.train, "test": data.load_test()}


def test_the_file_holds_plain_arrays_and_no_others():
    with np.load(digits._FILE, allow_pickle=False) as arrays:
        assert set(arrays.files) == ARRAYS
        for name in ARRAYS:
            assert arrays[name].dtype == np.uint8


@pytest.mark.parametrize("name, size", [("train", 1438), ("test", 359)])
def test_sizes_and_types(parts, name, size):
    part = parts[name]
    assert part.images.shape == (size, 8, 8, 1)
    assert part.images.dtype == np.uint8
    assert part.labels.shape == (size,) and part.labels.dtype == np.int32
    assert set(part.labels) == set(range(10))


def test_every_class_gives_a_fifth_to_the_test_part(parts):
    train, test = (np.bincount(parts[n].labels) for n in ("train", "test"))
    np.testing.assert_array_equal(test, np.rint(0.2 * (train + test)))


def test_no_image_is_in_both_parts(parts):
    train, test = (
        {image.tobytes() for image in parts[name].images} for name in ("train", "test")
    )
    assert len(train) > 1400 and not train & test


def test_parts_are_mixed_not_sorted_by_class(parts):
    """A prefix of the training part, as a quick look takes, has all."""
    assert set(parts["train"].labels[:100]) == set(range(10))


def test_what_one_reader_spoils_the_next_does_not_see(parts):
    load_digits().train.images[:] = 0
    assert load_digits().train.images.max() == 255
    assert parts["train"].images.max() == 255


def test_the_licence_stands_beside_the_file_and_fits_it(parts):
    text = LICENCE.read_text("utf-8")
    for word in (
        "Alpaydin",
        "Kaynak",
        "10.24432/C50P49",
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "Changes made",
    ):
        assert word in text
    train, test = parts["train"].size, parts["test"].size
    assert f"{train + test:,} digits" in text
    assert f"({train:,})" in text and f"({test})" in text
