"""Random resized crops and jitter colours, against loops and colorsys."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.large_images import (
    AREAS,
    RATIOS,
    change_colours,
    crop_and_resize,
    jitter,
    random_crops,
)
from darts_tf.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 6, 6, 3), np.uint8)


def slow_resized(image, crop):
    """Bilinear by hand, the pixels' centres at whole numbers and a half."""
    height, width, _ = image.shape
    out = np.zeros(image.shape)
    for row in range(height):
        for column in range(width):
            y = (crop[0] + crop[2] * (row + 0.5) / height) * height - 0.5
            x = (crop[1] + crop[3] * (column + 0.5) / width) * width - 0.5
            for i in (int(np.floor(y)), int(np.floor(y)) + 1):
                for j in (int(np.floor(x)), int(np.floor(x)) + 1):
                    share = (1 - abs(y - i)) * (1 - abs(x - j))
                    pixel = image[min(max(i, 0), height - 1), min(max(j, 0), width - 1)]
                    out[row, column] += share * pixel
    return out


def test_a_crop_is_scaled_to_the_images_size():
    crops = [[0.25, 0.5, 0.5, 0.25], [0, 0, 0.3, 1], [0.6, 0.1, 0.4, 0.9]]
    found = crop_and_resize(tf.constant(IMAGES), tf.constant(crops, tf.float32))
    assert found.shape == IMAGES.shape and found.dtype == tf.uint8
    expected = [slow_resized(i, c) for i, c in zip(IMAGES, crops)]
    assert np.abs(found.numpy() - np.stack(expected)).max() <= 0.51


def test_the_whole_image_as_a_crop_is_the_image():
    whole = tf.constant([[0.0, 0, 1, 1]] * 3)
    np.testing.assert_array_equal(crop_and_resize(tf.constant(IMAGES), whole), IMAGES)


def test_crops_are_inside_and_of_all_sizes():
    top, left, height, width = random_crops(2000, [1, 2]).numpy().T
    assert min(top.min(), left.min()) >= 0
    assert max((top + height).max(), (left + width).max()) <= 1 + 1e-6
    areas, ratios = height * width, width / height
    for values, (low, high) in ((areas, AREAS), (ratios, RATIOS)):
        assert low * 0.999 <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high * 1.001
    assert np.unique(areas).size > 1990
    # Those that stick out are drawn again, so small ones are more frequent.
    assert 0.4 < areas.mean() < 0.54


def slow_coloured(image, brightness, contrast, saturation, hue):
    x = np.clip(image / 255 * brightness, 0, 1)
    grey = x @ [0.299, 0.587, 0.114]
    x = np.clip(contrast * x + (1 - contrast) * grey.mean(), 0, 1)
    grey = (x @ [0.299, 0.587, 0.114])[..., None]
    x = np.clip(saturation * x + (1 - saturation) * grey, 0, 1)
    for row in x.reshape(-1, 3):
        h, s, v = colorsys.rgb_to_hsv(*row)
        row[:] = colorsys.hsv_to_rgb((h + hue) % 1, s, v)
    return 255 * x


def test_colours_change_as_by_colorsys():
    factors = np.array([[0.6, 1.4, 0.7, 0.2], [1.4, 0.6, 1.3, -0.2], [1, 1, 1, 0.1]])
    found = change_colours(
        tf.constant(IMAGES), *tf.constant(factors.T, tf.float32)
    ).numpy()
    for image, after, row in zip(IMAGES, found, factors):
        assert np.abs(after - slow_coloured(image, *row)).max() <= 0.6
    ones = tf.ones(3)
    same = change_colours(tf.constant(IMAGES), ones, ones, ones, tf.zeros(3))
    np.testing.assert_array_equal(same, IMAGES)


def test_jitter_is_bounded_and_drawn_for_each_image():
    grey = tf.constant(np.full((200, 1, 1, 3), 100, np.uint8))
    found = jitter(grey, 0.4, [3, 4]).numpy()[:, 0, 0, 0]
    assert 60 <= found.min() < 65 and 135 < found.max() <= 140
    np.testing.assert_array_equal(jitter(grey, 0.0, [3, 4]), grey)


def test_an_augmentation_of_both():
    images = tf.constant(IMAGES)
    plain = Augmentation(0, False)
    both = Augmentation(0, False, 0, resized_crop=True, colour_jitter=0.4)
    np.testing.assert_array_equal(plain.move(images, [5, 6]), IMAGES)
    once, again = (both.move(images, [5, 6]) for _ in range(2))
    assert once.shape == IMAGES.shape and np.any(once != IMAGES)
    np.testing.assert_array_equal(once, again)
    with pytest.raises(InputError, match="3 channels"):
        both.check((6, 6, 1))
    with pytest.raises(InputError, match="colour_jitter"):
        Augmentation(colour_jitter=1.5)
