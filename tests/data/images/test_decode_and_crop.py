"""Pieces of encoded images, against PIL and whole decoded images."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from darts_tf.data.images import decode_and_crop
from darts_tf.data.images.large_images import AREAS, RATIOS, random_crops


def slope(height, width) -> np.ndarray:
    """Red grows downwards, green to the right, both over the whole range."""
    rows = np.linspace(0, 255, height)[:, None]
    columns = np.linspace(0, 255, width)[None]
    planes = np.broadcast_arrays(rows, columns, np.full((1, 1), 90.0))
    return np.stack(planes, -1).round().astype(np.uint8)


def encoded(pixels, kind="JPEG", **more) -> tf.Tensor:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **more)
    return tf.constant(buffer.getvalue())


@pytest.mark.parametrize("height, width", [(75, 100), (100, 75), (9, 9)])
def test_the_centre(height, width):
    """As scaling the shorter side to 256 and cutting out 224."""
    top, left, high, wide = decode_and_crop.centre(height, width).numpy()
    side = min(height, width)
    assert high == wide == round(side * 224 / 256)
    assert abs(top - (height - high) / 2) <= 0.5
    assert abs(left - (width - wide) / 2) <= 0.5


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_only_the_piece_is_taken(kind):
    data = encoded(slope(60, 90), kind)
    whole = decode_and_crop.decode_crop(data, decode_and_crop.whole, 3)
    assert whole.shape == (60, 90, 3)
    piece = decode_and_crop.decode_crop(
        data, lambda *_: tf.constant([7, 30, 20, 33]), 3
    )
    np.testing.assert_allclose(
        piece.numpy().astype(int), whole[7:27, 30:63].numpy(), atol=3
    )
    if kind == "PNG":
        np.testing.assert_array_equal(whole, slope(60, 90))


def test_a_photograph_keeps_its_proportions():
    found = decode_and_crop.read_image(
        encoded(slope(60, 120)), decode_and_crop.centre, (28, 28, 3)
    )
    assert found.dtype == tf.uint8
    red, green = found[..., 0].numpy(), found[..., 1].numpy()
    # 7/8 of the height is seen, and the same number of columns.
    assert red[0].mean() == pytest.approx(255 / 16, abs=6)
    assert red[-1].mean() == pytest.approx(255 * 15 / 16, abs=6)
    assert green[:, 0].mean() == pytest.approx(255 * 34 / 120, abs=6)
    assert green[:, -1].mean() == pytest.approx(255 * 86 / 120, abs=6)


def test_colours_are_those_asked_for():
    grey = encoded(slope(20, 20)[..., 0])
    assert (
        decode_and_crop.read_image(grey, decode_and_crop.whole, (20, 20, 1)).shape[-1]
        == 1
    )
    colour = decode_and_crop.read_image(
        grey, decode_and_crop.whole, (20, 20, 3)
    ).numpy()
    np.testing.assert_array_equal(colour[..., 0], colour[..., 2])


def test_the_whole_image_has_to_have_the_shape():
    data = encoded(slope(20, 20))
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_and_crop.read_image(data, decode_and_crop.whole, (20, 21, 3))


@pytest.mark.parametrize("height, width", [(60, 80), (80, 60), (50, 50)])
def test_random_pieces_have_areas_and_ratios_of_the_papers(height, width):
    @tf.function
    def draw(number):
        return decode_and_crop.random_crop(tf.stack([3, number]))(height, width)

    found = np.stack([draw(tf.constant(i)) for i in range(300)])
    top, left, high, wide = found.T
    assert min(top.min(), left.min()) >= 0 and min(high.min(), wide.min()) > 0
    assert (top + high <= height).all() and (left + wide <= width).all()
    areas, ratios = high * wide / (height * width), wide / high
    assert AREAS[0] * 0.85 < areas.min() < 0.15 and areas.max() > 0.8
    assert RATIOS[0] * 0.93 < ratios.min() < 0.8
    assert 1.25 < ratios.max() < RATIOS[1] * 1.07
    assert len(np.unique(top)) > 20 and len(np.unique(left)) > 20


@pytest.mark.parametrize("wide", [0.2, 1.0, 5.0])
def test_long_images(wide):
    """In pixels of an image of height 1 the ratios are those asked for.

    Where no draw fits in, the crop is the largest in the middle.
    """
    top, left, height, width = random_crops(500, [1, 2], wide).numpy().T
    assert max((top + height).max(), (left + width).max()) <= 1 + 1e-6
    ratios = width * wide / height
    assert ratios.min() > RATIOS[0] - 1e-4 and ratios.max() < RATIOS[1] + 1e-4
    if wide == 5.0:
        last = height > 1 - 1e-6
        assert 0 < last.sum() < 500
        np.testing.assert_allclose(width[last], RATIOS[1] / 5, rtol=1e-5)
        np.testing.assert_allclose(left[last], (1 - RATIOS[1] / 5) / 2, rtol=1e-5)
