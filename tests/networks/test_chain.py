"""Networks of chains: the mixed operation, one-hot weights, published sizes."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.build import build_network
from darts_tf.networks.chain import EvaluationNetwork, MixedLayer, Supernet
from darts_tf.networks.convolutions import Conv
from darts_tf.networks.footprint.counts import multiply_adds, parameters
from darts_tf.networks.inverted_residual import InvertedResidual
from darts_tf.space.cell import IDENTITY
from darts_tf.space.chain import LATER, Layer
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.darts.discretisation import genotype_weights
from tests.strategy.small_chain import SMALL_CHAIN, small_chain

assert small_chain  # a fixture
SHAPE = (9, 11, 3)
NORM = functools.partial(BatchNorm, True)
IMAGES = np.random.default_rng(0).normal(size=(4, *SHAPE)).astype(np.float32)


def built(model):
    model.build((None, *SHAPE))
    return model


@pytest.fixture
def supernet(small_chain):
    keras.utils.set_random_seed(0)
    return built(Supernet(small_chain, 1.0, 9, 5))


def heir(supernet, genotype) -> EvaluationNetwork:
    """The genotype's network with the supernet's weights."""
    network = built(EvaluationNetwork(genotype, 1.0, 9, 5))
    for name in ("stem", "first_block", "head", "classifier"):
        getattr(network, name).set_weights(getattr(supernet, name).get_weights())
    stages = SMALL_CHAIN.by_stage(genotype.cells)
    names = [name for stage in stages for name in stage]
    for place, layer in zip(network.places, network.cells, strict=True):
        mixed = supernet.cells[place.number - 1]
        layer.set_weights(mixed.blocks[names[place.number - 1]].get_weights())
    return network


@pytest.mark.parametrize("seed", [1, 4])
def test_one_hot_weights_give_the_derived_network(supernet, seed):
    genotype = random_genotype(SMALL_CHAIN, seed)
    assert IDENTITY in str(genotype)
    weights = genotype_weights(SMALL_CHAIN, genotype)
    rows = [tf.constant(weights[kind]) for kind in supernet.kinds]
    mixed = supernet(IMAGES, rows, training=True)
    derived = heir(supernet, genotype)(IMAGES, training=True)
    np.testing.assert_allclose(mixed, derived, atol=1e-5)


def test_a_mixed_layer_is_the_weighted_sum_of_its_candidates():
    names = ("mb_conv_3x3_e3", "mb_conv_7x7_e6", IDENTITY)
    norm = functools.partial(BatchNorm, True, momentum=0.0)
    layer = MixedLayer(names, Layer(2, LATER, 0, 4, 4, 1), norm)
    x = tf.constant(IMAGES[..., :1] * np.ones(4, np.float32))
    layer.build(x.shape)
    p = tf.constant([0.2, 0.3, 0.4])  # no softmax: a sum of 0.9
    outputs = [block(x, training=True) for block in layer.blocks.values()] + [x]
    expected = sum(w * y for w, y in zip(p, outputs))
    np.testing.assert_allclose(layer(x, p, training=True), expected, atol=1e-5)


def test_a_block_pads_alike_on_all_sides_also_with_stride_two():
    """As torch: with SAME the even 4 x 4 image would be padded at the end only."""
    block = InvertedResidual(2, 3, 7, 1, 2, NORM)
    block.build((None, 4, 4, 2))
    depthwise = block.activated_layers[0]
    kernel = np.zeros((7, 7, 2, 1), np.float32)
    kernel[2, 2] = 1  # output (1, 1) reads pixel 2 * 1 - 3 + 2 = 1
    depthwise.kernel.assign(kernel)
    x = np.arange(32, dtype=np.float32).reshape(1, 4, 4, 2)
    np.testing.assert_array_equal(depthwise(tf.constant(x))[0, 1, 1], x[0, 1, 1])


def test_the_input_is_added_where_stride_and_channels_allow_it():
    assert InvertedResidual(4, 4, 3, 6, 1, NORM).residual
    assert not InvertedResidual(4, 4, 3, 6, 2, NORM).residual
    assert not InvertedResidual(4, 8, 3, 6, 1, NORM).residual


def test_drop_path_drops_branches_of_whole_samples(supernet):
    genotype = random_genotype(SMALL_CHAIN, 1)
    network = heir(supernet, genotype)
    seed, off = tf.constant([0, 1]), tf.constant(0.0)
    plain = network(IMAGES, training=True)
    kept = network(IMAGES, drop_path=off, seed=seed, training=True)
    np.testing.assert_allclose(kept, plain, atol=1e-6)
    dropped = network(IMAGES, drop_path=tf.constant(0.9), seed=seed, training=True)
    assert np.abs(dropped - plain).max() > 1e-3


def test_a_saved_network_loads_and_computes_the_same(small_chain, tmp_path):
    network = built(EvaluationNetwork(random_genotype(small_chain, 0), 1.0, 9, 5))
    network.save(tmp_path / "chain.keras")
    loaded = keras.models.load_model(tmp_path / "chain.keras")
    np.testing.assert_array_equal(loaded(IMAGES), network(IMAGES))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, weights, products",
    [
        # Sandler et al. 2018, table 4: 3.4 million and 300 million; torchvision's
        # network has the same number of parameters to the last one.
        ("MobileNetV2", 3_504_872, 300_774_272),
        # Cai et al. 2019, and the authors' repository: 320 million.
        ("ProxylessNAS_mobile", 4_080_512, 320_427_584),
    ],
)
def test_published_chains_have_the_published_size(name, weights, products):
    network = build_network(name, num_classes=1000, image_shape=(224, 224, 3))
    assert parameters(network) == weights
    assert multiply_adds(network, (224, 224, 3)) == products
    convolutions = [x for x in network._flatten_layers() if isinstance(x, Conv)]
    assert convolutions[-1].channels == 1280


@pytest.mark.parametrize(
    "given, message",
    [
        ({"num_classes": 10}, "give `image_shape`"),
        ({"num_classes": 10, "channels": 16}, "`channels` do not go with"),
        ({"image_shape": (8, 8, 1)}, "give `num_classes`"),
        ({"num_classes": 10, "image_shape": (2, 9, 1)}, "leave no pixel"),
    ],
)
def test_a_chain_has_other_sizes_than_cells(given, message):
    with pytest.raises(InputError, match=message):
        build_network("MobileNetV2", **given)
