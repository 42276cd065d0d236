"""Digits by name, and contradictions between arguments."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data.images import digits
from darts_tf.data.images.loading import load_images
from darts_tf.errors import InputError


def test_digits_are_the_whole_set_in_two_parts():
    data = load_images("digits")
    train, test = data.train, data.load_test()
    assert (train.size, test.size) == (1438, 359)
    assert data.image_shape == (8, 8, 1) and data.num_classes == 10
    assert data.class_names == tuple("0123456789")
    counts = np.bincount(train.labels) + np.bincount(test.labels)
    expected = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    np.testing.assert_array_equal(counts, expected)
    share = np.bincount(test.labels) / counts
    np.testing.assert_allclose(share, 0.2, atol=0.004)


def test_digits_use_the_whole_range_of_grey():
    images = load_images("digits").train.images
    assert images.dtype == np.uint8
    greys = np.floor(np.arange(17) * 255 / 16 + 0.5)
    np.testing.assert_array_equal(np.unique(images), greys)


def test_no_test_digit_is_a_training_digit():
    data = load_images("digits")
    seen = {image.tobytes() for image in data.train.images}
    again = sum(i.tobytes() in seen for i in data.load_test().images)
    assert again == 0


def test_digits_can_be_told_apart():
    """Labels belong to their images: the nearest class mean is mostly right."""
    data = load_images("digits")
    images = data.train.images.reshape(-1, 64).astype(float)
    labels = data.train.labels
    means = np.stack([images[labels == k].mean(0) for k in range(10)])
    test = data.load_test()
    far = np.square(test.images.reshape(-1, 1, 64) - means).sum(-1)
    assert np.mean(far.argmin(axis=1) == test.labels) > 0.85


def test_test_digits_stay_unread(monkeypatch):
    read = []
    monkeypatch.setattr(
        digits, "_read", lambda part, real=digits._read: read.append(part) or real(part)
    )
    data = load_images("digits")
    assert read == ["train"]
    data.load_test()
    assert read == ["train", "test"]


def test_digits_scale():
    data = load_images("digits", image_size=16)
    assert data.image_shape == data.load_test().images.shape[1:] == (16, 16, 1)
    plain = load_images("digits").train.images
    assert abs(data.train.images.mean() - plain.mean()) < 2


@pytest.mark.parametrize(
    "name, more, word",
    [
        ("digits", {"data_dir": "somewhere"}, "leave `data_dir` out"),
        ("digits", {"download": True}, "leave `download` out"),
        ("folder", {"download": True}, "nothing to download"),
        ("folder", {}, "needs `data_dir`"),
        ("digits", {"image_size": 0}, "`image_size`"),
    ],
)
def test_contradictions_are_refused_in_one_line(name, more, word):
    with pytest.raises(InputError, match=word) as caught:
        load_images(name, **more)
    assert "\n" not in str(caught.value)
