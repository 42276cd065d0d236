"""Recomputed cells: the same values and derivatives, in less memory."""

from __future__ import annotations

import contextlib
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import conv, nasbench201, operations
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Cell
from darts_tf.networks.compiled import recomputation
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.compiled.mixed_edges import MixedEdges
from darts_tf.networks.compiled.shared_functions import SharedFunctions
from darts_tf.space.cell import CellSpec
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation
from tests.precision import computed_in_float64
from tests.strategy.small_space import SMALL

SEED = tf.constant([1, 2])


def close(found, wanted, bound):
    found, wanted = tf.nest.flatten(found), tf.nest.flatten(wanted)
    for one, other in zip(found, wanted, strict=True):
        scale = np.abs(other).max()
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * scale)


@pytest.mark.parametrize("compile", [tf.function, lambda f: f])
@pytest.mark.parametrize("levels", [1, 2])
def test_derivatives_of_any_order(compile, levels):
    def function(x, w):
        return [tf.tanh(x * w) * x, x + w]

    again = recomputation.recomputed(function, 1, levels)

    def derivatives(function):
        x, w = tf.constant([0.3, 0.7], tf.float64), tf.constant(0.4, tf.float64)
        found = []
        with contextlib.ExitStack() as stack:
            tapes = [
                stack.enter_context(tf.GradientTape(persistent=True)) for _ in range(3)
            ]
            for tape in tapes:
                tape.watch([x, w])
            value = tf.reduce_sum(function(*function(x, w))[0])
            for tape in tapes[::-1]:
                value = tf.reduce_sum(tape.gradient(value, w))
                found.append(value)
        return found

    found = compile(lambda: derivatives(again))()
    wanted = derivatives(function)
    assert len({float(value) for value in wanted}) == 3
    close(found, wanted, 1e-13)


def test_each_function_waits_for_the_gradient_that_asks_for_it():
    """In a graph nothing else would: memory would hold all of them."""
    told = []

    def telling(name, x):
        def tell(x):
            told.append(name)
            return x

        y = tf.numpy_function(tell, [x], x.dtype, stateful=False)
        return tf.ensure_shape(y, x.shape)

    def function(number, x):
        @tf.custom_gradient
        def told_of(x):
            return telling(f"f{number}", x), lambda g: telling(f"g{number}", g)

        return [tf.sin(told_of(tf.sin(x)))]

    @tf.function
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for number in range(3):
                again = functools.partial(function, number)
                (y,) = recomputation.recomputed(again, 1)(y)
            y = tf.reduce_sum(y * y)
        return y, tape.gradient(y, x)

    gradient(tf.constant([0.1, 0.2]))
    assert told == "f0 f1 f2 f2 g2 f1 g1 f0 g0".split()


@pytest.fixture
def float64():
    with computed_in_float64():
        yield


NAMES = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3", "noise")


class OneCell(keras.Model):
    """A cell with a normalised input and a plain one, as the supernets'."""

    def __init__(self, shared_functions):
        super().__init__()
        spec = CellSpec("normal", 2, 1, (NAMES,) * 2, 2, (2,))
        norm = functools.partial(BatchNorm, False, momentum=0.0)
        units = [
            MixedEdges(
                spec, source, 2, 1, norm, key=source, shared_functions=shared_functions
            )
            for source in range(2)
        ]
        self.cell = Cell(units, 1, (2,), [None, operations.conv_norm(2, norm)])

    def call(self, x, rows, recomputed=False, training=False):
        given = {"weights": rows, "seed": SEED}
        if recomputed:
            return recomputation.call_cell(self.cell, [x, x], True, True, **given)
        return self.cell([x, x], training=training, **given)


@pytest.mark.slow
def test_a_cell_and_its_second_derivatives(float64):
    keras.utils.set_random_seed(0)
    model = OneCell(SharedFunctions(True))
    x = tf.random.stateless_normal((3, 4, 4, 2), [1, 2], dtype=tf.float64)
    alpha = [tf.random.stateless_normal((2, 5), [3, 4], dtype=tf.float64)]
    model(x, alpha[0])
    w = [tf.constant(v) for v in model.trainable_variables]
    u = [
        tf.random.stateless_normal(v.shape, [5, i], dtype=v.dtype)
        for i, v in enumerate(w)
    ]

    def loss(recomputed, w, alpha, x, seed):
        rows = tf.unstack(relaxation.mixing_weights(alpha)[0])
        out, state = model.stateless_call(
            w,
            [v.value for v in model.non_trainable_variables],
            x,
            rows,
            recomputed=recomputed,
            training=True,
        )
        return tf.reduce_mean(tf.tanh(out)), {"statistics": state}

    def derivatives(recomputed):
        given = (functools.partial(loss, recomputed), w, alpha, x, SEED)
        return (
            bilevel.grad_w_alpha(*given),
            bilevel.reverse_over_reverse(*given, u),
        )

    found, wanted = (tf.function(lambda r=r: derivatives(r))() for r in (True, False))
    assert all(np.abs(t).max() > 1e-6 for t in tf.nest.flatten(wanted[1]))
    close(found, wanted, 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conv", "nasbench201"])
def test_supernets(kind):
    """Gradients of w and alpha, loss, logits and statistics."""
    if kind == "conv":
        space, network = SMALL, conv.Supernet
    else:
        space, network = space_by_name(kind), nasbench201.Supernet
    alpha = [
        tf.random.stateless_normal(spec.alpha_shape, [3, 4]) for spec in space.cells
    ]
    images = tf.random.stateless_normal((4, 8, 8, 1), [5, 6])
    batch, results = (images, tf.constant([0, 1, 2, 1])), []
    for recomputed in (True, False):
        keras.utils.set_random_seed(0)
        model = network(space, 2, 3, 3, recompute=recomputed)
        model(images, relaxation.per_cell(alpha, space, model.kinds))
        weights = FlatWeights(model)
        loss = weights.loss(relaxation.supernet_loss(model))
        piece = tf.function(functools.partial(bilevel.grad_w_alpha, loss))
        by_w, *others = piece(weights.values(), alpha, batch, SEED)
        results.append([weights.unpack(by_w), *others])
    close(*results, 1e-4)
    assert all(np.abs(g).max() > 0 for g in tf.nest.flatten(results[0]))


@pytest.mark.slow
def test_the_gradient_of_alpha_asks_for_none_of_the_weights():
    """They stay constants on their way through a recomputed cell."""
    model = conv.Supernet(SMALL, 2, 3, 3, recompute=True)
    alpha = [tf.zeros(spec.alpha_shape) for spec in SMALL.cells]
    model(tf.zeros((1, 8, 8, 1)), relaxation.per_cell(alpha, SMALL, model.kinds))
    w = [tf.constant(v) for v in model.trainable_variables]
    loss, batch = (
        relaxation.supernet_loss(model),
        (tf.zeros((2, 8, 8, 1)), tf.constant([0, 1])),
    )
    tf.function(
        lambda: bilevel.grad_alpha(loss, w, alpha, batch, SEED)[0]
    ).get_concrete_function()
    keys = model._shared_functions._functions
    constants = [key[-1] for key in keys if key[0] == "edge"]
    assert constants and all(constants)


@pytest.mark.parametrize("compile", [tf.function, lambda f: f])
def test_one_tensor_may_be_two_arguments(compile):
    again = recomputation.recomputed(lambda x, y: [x * y + 2 * y], 2)
    x = tf.constant([3.0, 5.0])

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            (value,) = again(x, x)
        return tape.gradient(value, x)

    np.testing.assert_allclose(compile(gradient)(), 2 * x + 2)
