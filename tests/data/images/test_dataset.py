"""Splits are disjoint and stratified; statistics are numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.data.images import dataset
from darts_tf.data.images.dataset import channel_statistics, stratified_split
from darts_tf.errors import InputError


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(10, 60), min_size=1, max_size=5),
    weights=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    seed=st.integers(0, 2**31 - 1),
)
def test_parts_are_disjoint_stratified_and_cover(counts, weights, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    labels = np.random.default_rng(seed).permutation(labels)
    fractions = [weight / sum(weights) for weight in weights]
    split = stratified_split(labels, fractions, seed)
    together = np.concatenate(split)
    np.testing.assert_array_equal(np.sort(together), np.arange(len(labels)))
    for indices, fraction in zip(split, fractions, strict=True):
        got = np.bincount(labels[indices], minlength=len(counts))
        assert np.all(np.abs(got - fraction * np.array(counts)) <= 1)


def test_class_sorted_data_gets_every_class_on_both_sides():
    labels = np.repeat([0, 1, 2], 10)
    for part in stratified_split(labels, [0.5, 0.5], 0):
        assert set(labels[part]) == {0, 1, 2}


def test_a_share_of_the_data_leaves_the_rest_out():
    labels = np.repeat([0, 1], 50)
    (part,) = stratified_split(labels, [0.3], 1)
    np.testing.assert_array_equal(np.bincount(labels[part]), [15, 15])


def test_the_seed_decides():
    labels = np.repeat([0, 1], 50)
    first = stratified_split(labels, [0.5, 0.5], 1)
    again = stratified_split(labels, [0.5, 0.5], 1)
    other = stratified_split(labels, [0.5, 0.5], 2)
    np.testing.assert_array_equal(first[0], again[0])
    assert np.any(first[0] != other[0])


@pytest.mark.parametrize(
    "labels, fractions, word",
    [
        ([0, 0, 0, 1], [0.5, 0.5], "class 1 has 1 examples"),
        ([0, 0, 1, 1], [0.7, 0.7], "at most 1"),
        ([0, 0, 1, 1], [1.0, 0.0], "positive"),
        ([0, 0, 1, 1], [], "positive"),
    ],
)
def test_bad_splits_are_refused_in_one_line(labels, fractions, word):
    with pytest.raises(InputError, match=word) as caught:
        stratified_split(np.array(labels), fractions, 0)
    assert "\n" not in str(caught.value)


def test_statistics_equal_numpy_over_chunks(monkeypatch):
    monkeypatch.setattr(dataset, "CHUNK", 3)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (10, 4, 5, 3), np.uint8)
    mean, std = channel_statistics(images)
    wide = images.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, wide.std(axis=(0, 1, 2)), rtol=1e-6)
    assert mean.dtype == std.dtype == np.float32


def test_statistics_of_bright_images_keep_their_precision():
    images = np.full((5000, 8, 8, 1), 254, np.uint8)
    images[0, 0, 0, 0] = 255
    _, std = channel_statistics(images)
    np.testing.assert_allclose(std, images.std(dtype=np.float64), rtol=1e-4)


def test_a_constant_channel_is_not_divided_by_zero():
    images = np.full((3, 2, 2, 2), 255, np.uint8)
    images[0, ..., 0] = 0
    _, std = channel_statistics(images)
    assert std[0] > 1 and std[1] == 1
