"""Stems and the auxiliary head: sizes, weights, and values by numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import stem_and_head


def weights(layer) -> int:
    return sum(math.prod(v.shape) for v in layer.trainable_variables)


def image(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("size", [(7, 9), (8, 8)])
def test_stems_sizes_and_weights(size):
    x = tf.constant(image(2, *size, 3))
    halves = tuple(-(-n // 2) for n in size)
    for stem, expected in (
        (stem_and_head.cifar_stem(6), size),
        (stem_and_head.strided_stem(6), halves),
    ):
        assert stem(x).shape == (2, *expected, 6)
        assert weights(stem) == 3 * 3 * 3 * 6 + 2 * 6


def test_strided_stem_pads_as_the_papers_do():
    """One pixel before the first: the window of output 0 ends at pixel 1."""
    x = np.zeros((1, 8, 8, 1), np.float32)
    x[0, 2, 2] = 1
    y = stem_and_head.strided_stem(4)(tf.constant(x)).numpy()
    assert np.all(y[0, 0, 0] == 0) and np.all(y[0, 1, 1] != 0)


def test_classifier_starts_within_its_bounds():
    layer = stem_and_head.Classifier(50)
    assert layer(image(3, 400)).shape == (3, 50)
    for values in (layer.kernel.numpy(), layer.bias.numpy()):
        assert np.abs(values).max() <= 1 / 20
        assert np.abs(values).max() > 0.8 / 20


@pytest.mark.parametrize(
    "size, window",
    [
        (8, (5, 3)),
        (7, (5, 2)),
        (2, (1, 1)),
        (3, (2, 1)),
        (4, (3, 1)),
        (6, (5, 1)),
        (14, (7, 7)),
    ],
)
def test_auxiliary_windows(size, window):
    assert stem_and_head._auxiliary_window(size) == window


@pytest.mark.parametrize("size", range(2, 60))
def test_any_size_is_pooled_to_two_and_read_to_the_end(size):
    width, stride = stem_and_head._auxiliary_window(size)
    assert 1 <= width and 1 <= stride
    assert (size - width) // stride + 1 == 2
    assert width + stride == size


def test_a_single_pixel_is_refused():
    head = stem_and_head.AuxiliaryHead(10, last_norm=True)
    with pytest.raises(InputError, match="`auxiliary_weight=0`"):
        head(image(1, 1, 4, 3))


@pytest.mark.parametrize("last_norm", [True, False])
def test_auxiliary_head_has_the_papers_weights(last_norm):
    head = stem_and_head.AuxiliaryHead(10, last_norm)
    assert head(image(2, 8, 8, 5)).shape == (2, 10)
    narrow = 5 * 128 + 2 * 128
    wide = 2 * 2 * 128 * 768 + 2 * 768 * last_norm
    assert weights(head) == narrow + wide + 768 * 10 + 10


@pytest.mark.parametrize("size, stride", [(8, 3), (7, 2)])
@pytest.mark.parametrize("last_norm", [True, False])
def test_auxiliary_head_computes_what_numpy_does(size, stride, last_norm):
    head = stem_and_head.AuxiliaryHead(4, last_norm)
    x = image(3, size, size, 6)
    logits = head(x)  # batch norms start as the identity, but for epsilon
    x = np.maximum(x, 0)
    corners = [slice(0, 5), slice(stride, stride + 5)]
    pooled = np.array(
        [[x[:, a, b].mean((1, 2)) for b in corners] for a in corners]
    )  # [2, 2, B, C]
    shrunk = 1 / np.sqrt(1 + 1e-5)
    narrow = pooled @ head.narrow.kernel.numpy()[0, 0] * shrunk
    narrow = np.maximum(narrow, 0)
    wide = np.einsum("ijbc,ijco->bo", narrow, head.wide.kernel.numpy())
    wide = np.maximum(wide * (shrunk if last_norm else 1), 0)
    classifier = head.classifier
    wanted = wide @ classifier.kernel.numpy() + classifier.bias.numpy()
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-6)
