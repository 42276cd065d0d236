"""Scaling against numpy; memory against what a container allows."""

from __future__ import annotations

import types

import numpy as np
import pytest

from darts_tf.data.images import resize
from darts_tf.errors import InputError


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


@pytest.mark.parametrize(
    "limit, expected", [("max\n", 1000), ("300\n", 300), ("5000\n", 1000)]
)
def test_a_containers_limit_counts(tmp_path, monkeypatch, limit, expected):
    path = tmp_path / "memory.max"
    path.write_text(limit)
    memory = types.SimpleNamespace(available=1000)
    monkeypatch.setattr(resize, "CONTAINER_LIMIT", path)
    monkeypatch.setattr(resize.psutil, "virtual_memory", lambda: memory)
    assert resize.available_memory() == expected


def test_outside_of_a_container_the_machine_decides(tmp_path, monkeypatch):
    memory = types.SimpleNamespace(available=1000)
    monkeypatch.setattr(resize, "CONTAINER_LIMIT", tmp_path / "missing")
    monkeypatch.setattr(resize.psutil, "virtual_memory", lambda: memory)
    assert resize.available_memory() == 1000


def test_images_up_to_the_share_are_allowed_and_one_more_is_not(monkeypatch):
    shape = (10, 20, 3)  # 600 bytes each
    available = 100 * 600 / resize.MEMORY_FRACTION
    monkeypatch.setattr(resize, "available_memory", lambda: available)
    resize.require_memory("mine", 100, shape)
    with pytest.raises(InputError) as caught:
        resize.require_memory("mine", 101, shape)
    text = str(caught.value)
    assert "\n" not in text and text.startswith("mine: ")
    for part in ("101 images of 10x20x3", "40%", "--image_size"):
        assert part in text
