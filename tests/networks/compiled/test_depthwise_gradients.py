"""Our gradients of any order are TensorFlow's own."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.compiled import depthwise_gradients as module
from darts_tf.networks.compiled.depthwise_gradients import depthwise
from darts_tf.networks.compiled.derivative_mode import set_constant_in_weights
from darts_tf.networks.convolutions import DepthwiseConv

CASES = [
    (5, 1, "SAME", 8),
    (5, 1, "SAME", 2),
    (7, 1, "SAME", 5),
    (7, 1, "SAME", 1),
    (5, 2, "VALID", 12),
    (5, 2, "VALID", 11),
    (7, 1, "VALID", 9),
    (7, 2, "VALID", 14),
]


def values(size, side):
    """(x, kernel)."""
    random = np.random.default_rng(size)
    x = tf.constant(random.standard_normal((3, side, side, 2)), tf.float32)
    kernel = random.standard_normal((size, size, 2, 1))
    return x, tf.constant(kernel, tf.float32)


def derivatives(x, kernel, stride, padding, compile=lambda f: f):
    """First and second ones of a function with curvature everywhere."""
    given = [x, kernel]
    convolved = compile(lambda *given: depthwise(*given, stride, padding))
    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            value = tf.reduce_sum(tf.sin(convolved(*given)))
        first = inner.gradient(value, given)
        bent = sum(tf.reduce_sum(tf.sin(d)) for d in first)
    return [*first, *outer.gradient(bent, given)]


@pytest.mark.slow
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("size, stride, padding, side", CASES)
def test_all_derivatives(monkeypatch, size, stride, padding, side, outer, inner):
    """Eagerly, in a graph, and of a function with a graph of its own."""
    compile = tf.function if inner else lambda f: f
    of_both = []
    for ours in (True, False):
        monkeypatch.setattr(module, "_by_onednn", lambda x, ours=ours: ours)
        function = tf.function(derivatives) if outer else derivatives
        given = *values(size, side), stride, padding, compile
        of_both.append(function(*given))
    for ours, plain in zip(*of_both, strict=True):
        scale = np.abs(plain).max()
        np.testing.assert_allclose(ours, plain, atol=1e-5 * scale)


def operations(function, *given) -> list[str]:
    """The types of a function's operations and of those that it calls."""
    graph = tf.function(function).get_concrete_function(*given).graph
    return [o.type for o in graph.get_operations()]


@pytest.mark.parametrize("onednn, parts", [("1", 2), ("0", 1)])
def test_parts_are_for_onednn(monkeypatch, onednn, parts):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", onednn)

    def gradient(x, kernel):
        value = tf.reduce_sum(depthwise(x, kernel) ** 2)
        return tf.gradients(value, kernel)

    found = operations(gradient, *values(5, 8))
    assert found.count("DepthwiseConv2dNativeBackpropFilter") == parts


def test_narrow_kernels_other_types_and_inference_are_left_alone(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    double = [tf.cast(v, tf.float64) for v in values(5, 8)]
    others = operations(depthwise, *double)
    others += operations(depthwise, *values(3, 8))
    assert "IdentityN" not in others
    layer = DepthwiseConv(5)
    x, _ = values(5, 8)
    layer.build(x.shape)
    assert "IdentityN" in operations(layer, x)
    with implementation.plain():
        assert "IdentityN" not in operations(layer, x)
        plain = DepthwiseConv(5)
    plain.build(x.shape)
    assert "IdentityN" not in operations(plain, x)


def test_with_constant_weights_it_is_tensorflows_own(monkeypatch):
    """Nobody asks for the kernel's gradient there."""
    monkeypatch.setattr(module, "_by_onednn", lambda x: True)
    x, kernel = values(5, 6)
    assert "IdentityN" in operations(depthwise, x, kernel)
    with set_constant_in_weights():
        assert "IdentityN" not in operations(depthwise, x, kernel)
