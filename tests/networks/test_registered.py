"""Operations of users: registered, checked, and part of a network."""

from __future__ import annotations

import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import operation_registry, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.operations import operation, register_operation
from darts_tf.networks.registered import formula_costs

layers = keras.layers
norm = functools.partial(BatchNorm, True)


def ghost(channels, stride):
    return keras.Sequential(
        [
            layers.ReLU(),
            layers.DepthwiseConv2D(3, stride, "same", use_bias=False),
            layers.Conv2D(channels, 1, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
        ]
    )


class Slope(layers.Layer):
    """A layer without build and compute_output_shape."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride
        self.slope = self.add_weight((), "ones")

    def call(self, x):
        return self.slope * x[:, :: self.stride, :: self.stride]


class Rounded(layers.Layer):
    def call(self, x):
        return tf.round(x)


class Noisy(layers.Layer):
    def call(self, x):
        return x + tf.random.normal(tf.shape(x))


@pytest.fixture
def register():
    """Registers operations for one test."""
    names = []

    def add(name, make=ghost, **arguments):
        register_operation(name, **arguments)(make)
        names.append(name)

    yield add
    for name in names:
        operation_registry.unregister_operation(name)


def refused(*words):
    pattern = ".*".join(words)
    return pytest.raises(InputError, match=f"^[^\n]*{pattern}[^\n]*$")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("make", [ghost, lambda channels, stride: Slope(stride)])
def test_an_operation(register, make, stride):
    register("own", make)
    assert operation("own").name == "own" and not operation("own").builtin
    layer = operation("own").build(4, stride, norm)
    layer.build((None, 5, 6, 4))
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 4)).astype("float32")
    y = layer(x, training=True)
    assert y.shape == (2, -(-5 // stride), 6 // stride, 4)
    scaled = layer(x, scale=tf.constant([0.0, 1.0, 2.0, 3.0]), training=True)
    np.testing.assert_allclose(scaled, y * [0, 1, 2, 3], rtol=1e-5)
    for narrow in (tf.bfloat16, tf.float16):
        z = layer(tf.cast(x, narrow), training=True)
        assert z.dtype == narrow
        np.testing.assert_allclose(tf.cast(z, tf.float32), y, atol=0.05)


def test_builtin_operations():
    assert operation("sep_conv_3x3").builtin and operations.is_builtin("none")
    assert not operations.is_builtin("own")
    layer = operation("sep_conv_3x3").build(4, 1, norm)
    assert isinstance(layer, operations.Chain)
    with refused("'own'", "register_operation", "`plugin`"):
        operation("own")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_batch_norms_of_a_supernet_keep_the_batch_statistics(register, momentum):
    register("own")
    follows = functools.partial(BatchNorm, False, momentum=momentum)
    layer = operations.build("own", 3, 1, follows)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    layer(x, training=True)
    variance = layer.non_trainable_variables[1].numpy()
    keras_norm = layer.layer.layers[-1]
    assert keras_norm.momentum == 0.9
    assert (np.abs(variance - 1) < 0.1).all() == bool(momentum)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda c, s: 3, ("must return a Keras layer", "received 3")),
        (lambda c: layers.ReLU(), ("could not be made", "TypeError")),
        (lambda c, s: layers.Conv2D(c, 3), (r"\[B, 6, 6, 4\]", r"\[B, 4, 4, 4\]")),
        (lambda c, s: layers.Conv2D(c + 1, 1), (r"it returns \[B, 6, 6, 5\]",)),
        (lambda c, s: layers.Flatten(), (r"it returns \[B, 144\]|it returns",)),
        (lambda c, s: layers.Dense(c, dtype="float32")(1), ("could not be made",)),
        (lambda c, s: Rounded(), ("has no gradient",)),
        (lambda c, s: layers.Dropout(0.5), ("seed_generator_state", "random")),
        (lambda c, s: layers.Conv1D(c, 1), ("fails on an input",)),
        (lambda c, s: Noisy(), ("draws random numbers", "RandomStandardNormal")),
    ],
)
def test_bad_operations(register, make, words):
    register("own", make)
    with refused("'own'", "channels=4, stride=1", *words):
        operations.build("own", 4, 1, norm).build((None, 6, 6, 4))


@pytest.mark.parametrize(
    "name, words",
    [
        ("sep_conv_3x3", ("built in",)),
        ("tanh", ("built in",)),
        ("own", ("registered already", "`replace=True`")),
        ("Own", ("'Own'", "lower-case")),
        ("3x3", ("lower-case",)),
        (3, ("3", "lower-case")),
    ],
)
def test_bad_names(register, name, words):
    register("own")
    with refused(*words):
        register(name)


def test_a_layer_that_edges_would_share(register):
    shared = layers.Conv2D(4, 1)
    relu = layers.ReLU()
    register("own", lambda c, s: keras.Sequential([relu, shared]))
    operations.build("own", 4, 1, norm).build((None, 6, 6, 4))
    with refused("'own'", "a new layer each time", "conv2d"):
        operations.build("own", 4, 1, norm).build((None, 6, 6, 4))


@pytest.mark.parametrize(
    "cost, words",
    [
        (lambda shape: 1, "has a `cost` that fails"),
        (lambda shape, stride: "many", "has a `cost` that fails"),
        (lambda shape, stride: float("nan"), "has a `cost` that fails"),
        (lambda shape, stride: -1, "returns -1"),
    ],
)
def test_bad_costs(register, cost, words):
    register("own", cost=cost)
    layer = operations.build("own", 4, 1, norm)
    layer.build((None, 6, 6, 4))
    with formula_costs(), refused("'own'", words):
        layer(tf.zeros((1, 6, 6, 4)))


def test_a_decorator_without_a_name():
    with refused("lower-case", "'my_operation'"):

        @operation_registry.register_operation
        def own(channels, stride):
            return ghost(channels, stride)

    with refused("`cost` must be a function"):
        operation_registry.register_operation("own", cost=3)


def test_replacing(register):
    register("own")
    register("own", lambda channels, stride: Slope(stride), replace=True)
    layer = operations.build("own", 4, 1, norm)
    assert isinstance(layer.layer, Slope)
    with refused("'other'", "function"):
        register("other", 3)


def test_registering_loads_no_tensorflow():
    code = """
import sys
from darts_tf.networks.operation_registry import register_operation
from darts_tf.space.registry import cell_space
register_operation("own")(lambda channels, stride: None)
cell_space("mine", nodes=2, operations=["own", "none"])
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
