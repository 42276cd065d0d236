"""Scaling against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from darts_tf.data.images import resize


def test_scaling_down_averages_and_rounds():
    """Antialiased: by two it weighs (1, 3, 3, 1) / 8 across each axis."""
    image = np.zeros((8, 8, 1), np.uint8)
    image[:, 4:] = 255
    scaled = resize.resize(image, 4).numpy()
    assert scaled.dtype == np.uint8 and scaled.shape == (4, 4, 1)
    wanted = [0, round(255 / 8), round(255 * 7 / 8), 255]
    np.testing.assert_array_equal(scaled[..., 0], [wanted] * 4)


def test_scaling_up_is_bilinear():
    row = np.array([[[0], [200]]], np.uint8)  # [1, 2, 1]
    scaled = resize.resize(row, 4).numpy()
    np.testing.assert_array_equal(scaled[..., 0], [[0, 50, 150, 200]] * 4)


@pytest.mark.parametrize("size", [3, 7, 16])
def test_extremes_stay_and_proportions_do_not(size):
    images = np.stack([np.zeros((5, 9, 3)), np.full((5, 9, 3), 255)])
    scaled = resize.resize(images.astype(np.uint8), size).numpy()
    assert scaled.shape == (2, size, size, 3)
    assert np.all(scaled[0] == 0) and np.all(scaled[1] == 255)


def test_the_same_size_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)
    np.testing.assert_array_equal(resize.resize(images, 6), images)
