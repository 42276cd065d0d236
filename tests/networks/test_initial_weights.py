"""The initial weights of the papers' runs, in derived networks and supernets."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.convolutions import DepthwiseConv
from darts_tf.programs.images import build_evaluation_network, built_supernet
from darts_tf.space.published import load_genotype

SIZE = {"channels": 8, "layers": 3}


class Data:
    """Images of the size of CIFAR's."""

    num_classes, image_shape = 10, (32, 32, 3)
    images = property(lambda self: self)


def network(config):
    keras.utils.set_random_seed(0)
    if isinstance(config, SearchConfig):
        return built_supernet(config, Data(), Replicas("one_device"))
    cells, one = load_genotype("DARTS_V2"), Replicas("one_device")
    return build_evaluation_network(config, cells, 10, (32, 32, 3), one)


def parts(model) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """Returns (all scales [n], (C, depthwise kernel) of each of them)."""
    layers = model._flatten_layers()
    scales = [x.gamma.numpy() for x in layers if isinstance(x, BatchNorm) and x.affine]
    kernels = [x.kernel.numpy() for x in layers if isinstance(x, DepthwiseConv)]
    return np.concatenate(scales), [(k.shape[2], k) for k in kernels]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SearchConfig, TrainingConfig])
def test_scales_and_depthwise_kernels(kind):
    scales, kernels = parts(network(kind(initial_weights="authors", **SIZE)))
    same, usual = parts(network(kind(**SIZE)))
    assert scales.min() >= 0 and scales.max() <= 1 and len(scales) == len(same)
    assert abs(scales.mean() - 0.5) < 4 / math.sqrt(12 * len(scales))
    assert (same == 1).all()
    assert len(kernels) == len(usual) > 5
    for (channels, kernel), (_, wide) in zip(kernels, usual):
        np.testing.assert_allclose(kernel * math.sqrt(channels), wide, rtol=1e-5)
        bound = 1 / math.sqrt(channels * kernel.shape[0] ** 2)
        assert 0.8 * bound < np.abs(kernel).max() <= bound


@pytest.mark.slow
def test_all_other_weights_are_as_they_were_and_a_seed_gives_the_same():
    first, again = (
        network(TrainingConfig(initial_weights="authors", **SIZE)) for _ in "ab"
    )
    usual = network(TrainingConfig(**SIZE))
    for one, same, other in zip(
        *(m.trainable_variables for m in (first, again, usual))
    ):
        np.testing.assert_array_equal(one, same)
        if one.name not in ("gamma", "depthwise_kernel"):
            np.testing.assert_array_equal(one, other)
