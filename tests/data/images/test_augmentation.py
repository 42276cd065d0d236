"""Crop, flip and cutout against loops, and against tensorflow-addons."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images.augmentation import Augmentation, crop_and_flip, cutout
from darts_tf.errors import InputError

ORACLE = pathlib.Path(__file__).parents[2] / "oracles/tensorflow_addons.npz"


def pictures(size=6, height=5, width=7, channels=2):
    """Images whose pixels are all different and none black."""
    count = size * height * width * channels
    values = np.arange(1, count + 1, dtype=np.float32)
    return values.reshape(size, height, width, channels)


def slow_crop(image, padding, top, left, flip):
    """The pixel at each place, looked up one by one; black outside."""
    height, width, _ = image.shape
    out = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            from_row = row + top - padding
            place = width - 1 - column if flip else column
            from_column = place + left - padding
            if 0 <= from_row < height and 0 <= from_column < width:
                out[row, column] = image[from_row, from_column]
    return out


@pytest.mark.parametrize("padding", [0, 1, 4, 9])
def test_crop_and_flip_equal_a_slow_loop(padding):
    random = np.random.default_rng(padding)
    images = pictures()
    tops = random.integers(0, 2 * padding + 1, 6, np.int32)
    lefts = random.integers(0, 2 * padding + 1, 6, np.int32)
    flips = np.array([True, False] * 3)
    got = crop_and_flip(tf.constant(images), padding, tops, lefts, flips)
    expected = [
        slow_crop(*one) for one in zip(images, [padding] * 6, tops, lefts, flips)
    ]
    np.testing.assert_array_equal(got, np.stack(expected))


def slow_cutout(image, centre, length):
    out = image.copy()
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            inside = [
                c - length // 2 <= place < c + length // 2
                for place, c in zip((row, column), centre)
            ]
            if all(inside):
                out[row, column] = 0
    return out


@pytest.mark.parametrize("length", [2, 4, 16])
def test_cutout_equals_a_slow_loop_at_every_centre(length):
    centres = np.stack(np.mgrid[:5, :7], -1).reshape(-1, 2).astype(np.int32)
    images = pictures(size=len(centres))
    got = cutout(tf.constant(images), tf.constant(centres), length)
    expected = [slow_cutout(*one, length) for one in zip(images, centres)]
    np.testing.assert_array_equal(got, np.stack(expected))


@pytest.mark.parametrize("name", ["cutout", "cutout_wide"])
def test_cutout_equals_tensorflow_addons(name):
    with np.load(ORACLE, allow_pickle=False) as oracle:
        got = cutout(
            tf.constant(oracle[f"{name}_images"]),
            tf.constant(oracle[f"{name}_centres"]),
            int(oracle[f"{name}_length"]),
        )
        np.testing.assert_array_equal(got, oracle[f"{name}_result"])


def test_move_draws_every_crop_and_both_directions():
    pixels = np.zeros((2000, 5, 5, 1), np.uint8)
    pixels[:, 2, 1] = 200
    got = Augmentation(crop_padding=1).move(tf.constant(pixels), [3, 4])
    _, rows, columns, _ = np.nonzero(got.numpy())
    assert len(rows) == 2000  # the bright pixel never leaves the image
    places, counts = np.unique(np.stack([rows, columns]), axis=1, return_counts=True)
    # Rows 1..3; columns 0..2 as it is and 2..4 mirrored: 2 comes up twice.
    assert places.shape[1] == 3 * 5
    share = counts / 2000
    expected = np.where(places[1] == 2, 2 / 18, 1 / 18)
    np.testing.assert_allclose(share, expected, atol=0.025)


def test_flip_is_even_and_can_be_off():
    pixels = np.tile(np.arange(4, dtype=np.uint8)[None, None, :, None], (1000, 1, 1, 1))
    on = Augmentation(crop_padding=0).move(tf.constant(pixels), [0, 1])
    off = Augmentation(crop_padding=0, flip=False)
    mirrored = on.numpy()[:, 0, 0, 0] == 3
    assert 0.45 < mirrored.mean() < 0.55
    np.testing.assert_array_equal(off.move(tf.constant(pixels), [0, 1]), pixels)


def test_hide_draws_every_centre_and_keeps_the_rest():
    images = tf.ones((3000, 4, 4, 1))
    got = Augmentation(cutout_length=2).hide(images, [5, 6]).numpy()[..., 0]
    hidden = 1 - got
    # Centre c hides rows c-1 and c: row 0 is hidden by centres 0 and 1, the
    # last by its own alone.
    by_row = hidden.max(axis=2).mean(axis=0)
    np.testing.assert_allclose(by_row, [0.5, 0.5, 0.5, 0.25], atol=0.04)
    by_column = hidden.max(axis=1).mean(axis=0)
    np.testing.assert_allclose(by_column, [0.5, 0.5, 0.5, 0.25], atol=0.04)
    assert set(hidden.sum(axis=(1, 2))) == {1.0, 2.0, 4.0}


def test_the_seed_alone_decides():
    both = Augmentation(crop_padding=3)
    images = tf.constant(pictures(size=20).astype(np.uint8))
    first, again = both.move(images, [1, 2]), both.move(images, [1, 2])
    np.testing.assert_array_equal(first, again)
    assert np.any(both.move(images, [1, 3]) != first)


def test_rows_and_columns_are_drawn_apart():
    pixels = np.zeros((300, 9, 9, 1), np.uint8)
    pixels[:, 4, 4] = 1
    got = Augmentation(4, flip=False).move(tf.constant(pixels), [3, 4])
    _, rows, columns, _ = np.nonzero(got.numpy())
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.2


@pytest.mark.parametrize(
    "arguments, word",
    [
        ({"crop_padding": -1}, "crop_padding"),
        ({"cutout_length": -2}, "cutout_length"),
        ({"cutout_length": 5}, "even"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, word):
    with pytest.raises(InputError, match=word) as caught:
        Augmentation(**arguments)
    assert "\n" not in str(caught.value)


def test_a_square_larger_than_the_image_is_refused():
    Augmentation(cutout_length=8).check((8, 9, 3))
    with pytest.raises(InputError, match="larger than the 8x9"):
        Augmentation(cutout_length=10).check((8, 9, 3))
