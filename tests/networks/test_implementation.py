"""Plain layers take nothing from networks/compiled and compute the same."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled import depthwise_gradients, derivative_mode
from darts_tf.networks.conv import Supernet
from darts_tf.networks.convolutions import DepthwiseConv
from darts_tf.networks.layer import Layer
from darts_tf.networks.nasbench201 import Supernet as BenchmarkSupernet
from darts_tf.space.nasbench201 import SPACE
from tests.strategy.small_space import SMALL

X = tf.random.stateless_normal((3, 9, 8, 2), [1, 2])
SUPERNETS = {"darts": (Supernet, SMALL), "nasbench201": (BenchmarkSupernet, SPACE)}


def built(make, plain: bool):
    """Returns a layer for X, fast or plain; equal in everything else."""
    with implementation.plain(plain):
        layer = make()
    layer.build(X.shape)
    for n, v in enumerate(layer.trainable_variables):
        v.assign(tf.random.stateless_normal(v.shape, [3, n]))
    return layer


def derivatives(function, x):
    """Computes the value, first and second derivatives of x -> function(x)."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x)
            value = tf.reduce_sum(tf.sin(3 * y))
        first = inner.gradient(value, x)
    return y, first, outer.gradient(first, x, tf.cos(x))


@pytest.mark.parametrize("size, stride, dilation", [(5, 1, 1), (3, 2, 2), (5, 2, 2)])
def test_plain_depthwise_convolutions(monkeypatch, size, stride, dilation):
    monkeypatch.setattr(depthwise_gradients, "_by_onednn", lambda x: True)
    results = []
    for plain in (False, True):
        layer = built(lambda: DepthwiseConv(size, stride, dilation), plain)
        graph = tf.function(lambda x, layer=layer: derivatives(layer, x))
        types = [o.type for o in graph.get_concrete_function(X).graph.get_operations()]
        assert ("IdentityN" in types) == (size == 5 and not plain)
        results.append(graph(X))
    for fast, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fast, plain, atol=1e-4 * np.abs(plain).max())


def test_plain_batch_norm_in_a_directional_pass():
    layers = [built(lambda: BatchNorm(True), plain) for plain in (False, True)]
    with derivative_mode.set_directional_pass():
        fast, plain = [layer(X, training=True) for layer in layers]
    np.testing.assert_allclose(fast, plain, atol=1e-5)
    y, first, second = derivatives(lambda x: layers[1](x, training=True), X)
    with derivative_mode.set_directional_pass():
        again = derivatives(lambda x: layers[1](x, training=True), X)
    for one, other in zip((y, first, second), again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(one).max())


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", SUPERNETS)
def test_all_layers_of_a_plain_supernet_are_plain(name, compiled):
    supernet, space = SUPERNETS[name]
    model = supernet(space, 2, 3, 3, compiled=compiled)
    layers = [m for m in model._flatten_layers() if isinstance(m, Layer)]
    assert layers and {layer.plain for layer in layers} == {not compiled}
    assert not implementation.is_plain()
