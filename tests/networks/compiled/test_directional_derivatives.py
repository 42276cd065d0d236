"""The slope of traced layers along a direction of their weights."""

from __future__ import annotations

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.compiled import derivative_mode
from darts_tf.networks.compiled.directional_derivatives import (
    jvp_of,
    replace_tensors,
    tensors,
    with_directional_derivatives,
)
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.conv import Supernet
from darts_tf.networks.nasbench201 import Supernet as BenchmarkSupernet
from darts_tf.space.nasbench201 import SPACE as BENCHMARK
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Nested
from darts_tf.strategy.darts.primitives import active
from tests.precision import computed_in_float64
from tests.scripts import check_says
from tests.strategy.small_space import SMALL, SMALLER

W, X, P = (tf.random.stateless_normal([4], [1, n]) for n in range(3))
U, DX = (tf.random.stateless_normal([4], [2, n]) for n in range(2))


def layer(weights, inputs, mixing):
    """Two outputs, one of them missing; a state."""
    (w,), (x, _), (p,) = weights, inputs, mixing
    y = tf.sin(w * x) * p + tf.exp(x)
    return [y, None, w * x], tf.stop_gradient(y)


def test_directions_go_through_as_the_jacobian_says():
    y, other = tf.function(jvp_of(layer))([W], [X, None], [P], [[U], [DX, None]])
    inner = U * X + W * DX
    np.testing.assert_allclose(other, inner, rtol=1e-5)
    wanted = tf.cos(W * X) * P * inner + tf.exp(X) * DX
    np.testing.assert_allclose(y, wanted, rtol=1e-5)


def chain(call):
    """A loss of two such layers in a row, as a function of w and p."""

    def loss(w, alpha, batch, seed):
        del seed
        outputs, _ = call([w[0]], [batch, None], [alpha[0]])
        between = tf.tanh(outputs[0] + outputs[2])
        outputs, state = call([w[1]], [between, None], [alpha[0] ** 2])
        assert outputs[1] is None
        return tf.reduce_sum(outputs[0] * outputs[2] ** 2), state

    return loss


def along(*values):
    """forward_over_reverse as an Execution runs it, not compiled."""
    with active(Nested()):
        return bilevel.forward_over_reverse(*values)


def traced(weights, inputs, mixing):
    jvp = tf.function(jvp_of(layer))
    return with_directional_derivatives(layer, jvp, weights, inputs, mixing)


def test_the_slopes_gradient_is_the_mixed_product():
    """Compares with the plain layers, by two reverse passes."""
    given = [W, 1 + W], [P], X, None
    u = [U, DX]
    wanted = bilevel.reverse_over_reverse(chain(layer), *given, u)
    slope = tf.function(lambda: along(chain(traced), *given, u))
    np.testing.assert_allclose(slope(), wanted, rtol=1e-4, atol=1e-5)


def test_a_gradient_that_is_no_slope_has_no_numbers():
    loss = chain(traced)
    with derivative_mode.set_directional_pass(), tf.GradientTape() as tape:
        tape.watch(W)
        value, _ = loss([W, W], [P], X, None)
        g = tape.gradient(value, W)
    assert np.isnan(g).all()


@pytest.mark.parametrize(
    "arguments, knows",
    [
        ({}, True),
        ({"partial_channels": 2}, True),
        ({"xla": True}, False),
        ({"synchronized": True}, False),
        ({"second_derivatives": True}, False),
        ({"recompute": True}, False),
    ],
)
def test_which_supernets_know_their_slopes(arguments, knows):
    assert Supernet(SMALL, 2, 3, 3, **arguments).has_directional_derivatives == knows
    assert not BenchmarkSupernet(BENCHMARK, 2, 3, 3).has_directional_derivatives


BOUNDS = {"float64": 1e-9, "float32": 2e-3, "bfloat16": 0.1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "space, partial, dtype",
    [(SMALL, 1, "float64"), (SMALLER, 1, "bfloat16"), (SMALLER, 2, "float32")],
    ids=["float64", "bfloat16", "partial"],
)
def test_of_a_supernet_it_is_the_mixed_product(space, partial, dtype):
    """In all types of feature maps; bfloat16 differs by its rounding."""
    keras.utils.set_random_seed(0)
    exactly = dtype == "float64"
    wide = "float64" if exactly else "float32"
    with computed_in_float64() if exactly else contextlib.nullcontext():
        model = Supernet(space, 2, 3, 3, partial_channels=partial)
        model.build((None, 8, 8, 3))
    weights = FlatWeights(model)
    w = weights.values()
    alpha = [
        tf.constant(np.cos(np.arange(a.size)).reshape(a.shape), wide)
        for a in relaxation.initial_alpha(space, 0, partial > 1)
    ]
    u = [tf.cos(100 * v) for v in w]
    images = tf.random.stateless_normal((4, 8, 8, 3), [3, 4], dtype=wide)
    batch = tf.cast(images, dtype), tf.constant([0, 1, 2, 0])
    loss = weights.loss(relaxation.supernet_loss(model))
    given = loss, w, alpha, batch, tf.constant([0, 0]), u
    wanted = bilevel.reverse_over_reverse(*given)
    found = tf.function(lambda: along(*given))()
    for one, other in zip(found, wanted, strict=True):
        size = np.abs(other).max()
        np.testing.assert_allclose(one, other, atol=BOUNDS[dtype] * size)


def test_structures_are_replace_tensors_around_what_is_missing():
    nested = [1, [None, 2], {"a": None, "b": 3}]
    assert tensors(nested) == [1, 2, 3]
    wanted = [4, [None, 5], {"a": None, "b": 6}]
    assert replace_tensors(nested, [4, 5, 6]) == wanted


TWO_DEVICES = """
import numpy as np, tensorflow as tf, keras
from darts_tf.descent.replicas import Replicas
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.execution import Nested
from darts_tf.strategy.darts.primitives import active
from tests.strategy.small_space import SMALLER
replicas = Replicas("mirrored")
keras.utils.set_random_seed(0)
with replicas.scope():
    net = Supernet(SMALLER, 1, 3, 3)
    net.build((None, 8, 8, 1))
weights = FlatWeights(net)
loss = weights.loss(relaxation.supernet_loss(net))
rng = np.random.default_rng(0)
images = rng.standard_normal((4, 8, 8, 1)).astype(np.float32)
alpha = [rng.standard_normal((2, 3)).astype(np.float32) for _ in range(2)]
labels = np.array([0, 1, 2, 1])
data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
batch = next(iter(replicas.split(data, 4)))
def found(product, batch):
    w = weights.values()
    a = [tf.constant(t) for t in alpha]
    u = [tf.cos(100 * t) for t in w]
    return product(loss, w, a, batch, tf.constant([0, 0]), u)
def of_both(batch):
    with active(Nested()):
        return replicas.mean(found(bilevel.forward_over_reverse, batch))
both = replicas.compile(of_both)(batch)
halves = [found(bilevel.reverse_over_reverse, (images[at], labels[at]))
          for at in (slice(0, 2), slice(2, 4))]
for other, *parts in zip(both, *halves):
    one = (parts[0] + parts[1]) / 2
    assert np.abs(one).max() > 1e-3
    other = np.array(replicas.local(other))
    np.testing.assert_allclose(one, other, atol=2e-3 * np.abs(one).max())
print("SAME")
"""


@pytest.mark.slow
def test_on_two_replicas_too():
    """Each traces in a thread of its own; against eager halves of the batch."""
    check_says(TWO_DEVICES, "SAME", devices=2)
