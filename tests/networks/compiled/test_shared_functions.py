"""Layers of one shape share a trace and nothing else."""

from __future__ import annotations

import contextlib
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.compiled.derivative_mode import set_constant_in_weights
from darts_tf.networks.compiled.mixed_edges import EdgeOperations, NodeOperations
from darts_tf.networks.compiled.shared_functions import SharedFunctions
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Nested
from darts_tf.strategy.darts.primitives import active
from tests.strategy.small_space import SMALL

RNG = np.random.default_rng(0)
COLUMNS = {"sep_conv_3x3": 2, "dil_conv_3x3": 0}


def edge():
    """An edge's operations, built."""
    layer = EdgeOperations(COLUMNS, 2, 1, lambda: BatchNorm(False, momentum=0.0))
    layer(tf.zeros((1, 5, 5, 2)), None, None, tf.ones([3]), training=True)
    return layer


def test_two_layers_are_traced_once_and_keep_their_own_values():
    first, second = edge(), edge()
    shared_functions = SharedFunctions()
    x = tf.random.stateless_normal((3, 5, 5, 2), [1, 2])
    weights = tf.constant([0.5, 0.0, 2.0])

    @tf.function
    def together():
        given = x, None, None, weights
        return [shared_functions(e.key, e, *given) for e in (first, second)]

    found = together()
    moved = [[v.numpy() for v in e.non_trainable_variables] for e in (first, second)]
    assert len(shared_functions._functions) == 1
    (function,) = shared_functions._functions.values()
    assert function.experimental_get_tracing_count() == 1
    for layer, ours, states in zip((first, second), found, moved):
        wanted = layer(x, None, None, weights, training=True)
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)
        for ours, wanted in zip(states, layer.non_trainable_variables):
            np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-7)
    assert np.abs(found[0] - found[1]).max() > 0.1


def test_inference_is_traced_once_and_reads_each_layers_own_states():
    layers, shared_functions = (edge(), edge()), SharedFunctions()
    for n, layer in enumerate(layers):
        for v in layer.non_trainable_variables:
            v.assign(v + n + 0.5)
    before = [v.numpy() for e in layers for v in e.variables]
    x = tf.random.stateless_normal((3, 5, 5, 2), [1, 2])
    given = x, None, None, tf.constant([0.5, 0.0, 2.0])

    @tf.function
    def together():
        return [shared_functions(e.key, e, *given, training=False) for e in layers]

    found = together()
    (function,) = shared_functions._functions.values()
    assert function.experimental_get_tracing_count() == 1
    for layer, ours in zip(layers, found):
        wanted = layer(*given, training=False)
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 0.01
    for was, now in zip(before, [v for e in layers for v in e.variables]):
        np.testing.assert_array_equal(was, now)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["calls", "dissolved"])
def test_a_supernets_inference_is_the_plain_one(way):
    """With other weights and statistics than its own, in a graph."""
    keras.utils.set_random_seed(0)
    model = Supernet(SMALL, 2, 3, 3, **WAYS[way])
    model.build((None, 8, 8, 1))
    alpha = [tf.constant(a) for a in relaxation.initial_alpha(SMALL, 0)]
    cells = relaxation.cells_of(alpha, SMALL, model.kinds)
    x = tf.random.stateless_normal((4, 8, 8, 1), [3, 4])
    w = [1.1 * v.value for v in model.trainable_variables]
    states = [v.value + 0.3 for v in model.non_trainable_variables]

    def logits():
        return model.stateless_call(w, states, x, cells, training=False)[0]

    plain = logits()
    size = np.abs(plain).max()
    np.testing.assert_allclose(tf.function(logits)(), plain, atol=1e-4 * size)
    own = model(x, cells, training=False)
    assert np.abs(plain - own).max() > 0.01 * size


WAYS = {
    "calls": {},
    "dissolved": {"second_derivatives": True},
    "XLA": {"second_derivatives": True, "xla": True},
}


@pytest.fixture(scope="module", params=WAYS)
def pieces(request):
    """A loss, its w, alpha and batch, for all ways of calling."""
    # Of 30 random starts one was so near to a kink that XLA crossed it.
    keras.utils.set_random_seed(0)
    model = Supernet(SMALL, 2, 3, 3, **WAYS[request.param])
    alpha = [tf.constant(a) for a in relaxation.initial_alpha(SMALL, 0)]
    cells = relaxation.per_cell(alpha, SMALL, model.kinds)
    model(tf.zeros((1, 8, 8, 3)), cells)
    images = tf.random.stateless_normal((4, 8, 8, 3), [3, 4])
    batch = images, tf.constant([0, 1, 2, 0])
    w = [tf.constant(v) for v in model.trainable_variables]
    return relaxation.supernet_loss(model), w, alpha, batch


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["w", "alpha", "product"])
def test_gradients_of_calls_are_those_without(pieces, kind):
    loss, w, alpha, batch = pieces
    seed = tf.constant([0, 0])
    u = [tf.random.stateless_normal(v.shape, [5, i]) for i, v in enumerate(w)]

    def wanted(loss):
        if kind == "product":
            return bilevel.reverse_over_reverse(loss, w, alpha, batch, seed, u)
        function = getattr(bilevel, "grad_w" if kind == "w" else "grad_alpha")
        return function(loss, w, alpha, batch, seed)[0]

    compiled = tf.function(lambda: wanted(loss))()
    for ours, eager in zip(compiled, wanted(loss), strict=True):
        scale = max(np.abs(eager).max(), 1e-3)
        np.testing.assert_allclose(ours, eager, atol=2e-3 * scale)


def gradient_of_alpha(*values):
    """As an Execution runs it, not compiled."""
    with active(Nested()):
        return bilevel.grad_alpha(*values)[0]


@pytest.mark.slow
def test_the_gradient_of_alpha_leaves_the_weights_out(pieces):
    loss, w, alpha, batch = pieces
    seed = tf.constant([0, 0])
    graph = (
        tf.function(lambda: gradient_of_alpha(loss, w, alpha, batch, seed))
        .get_concrete_function()
        .graph.as_graph_def()
    )
    called = {
        node.attr["f"].func.name
        for node in graph.node
        if node.op.endswith("PartitionedCall")
    }
    backward = [
        f.signature
        for f in graph.library.function
        if f.signature.name in called and "backward" in f.signature.name
    ]
    # The ReLU's gradient and one for each operation's mixing weight.
    assert backward and all(len(s.output_arg) <= 9 for s in backward)


@pytest.mark.parametrize("watched", [False, True])
def test_inputs_that_no_tape_watches_are_left_out(watched):
    """As are those of a supernet's first cells in the gradient of alpha."""
    layer, shared_functions = edge(), SharedFunctions()
    x, weights = RNG.normal(size=(3, 5, 5, 2)), tf.constant([0.5, 0.1, 2.0])
    x = tf.constant(x, tf.float32)

    def gradient(call):
        with set_constant_in_weights(), tf.GradientTape() as tape:
            tape.watch([weights, x] if watched else weights)
            y = call(x, None, None, weights)
        return tape.gradient(y, weights, tf.sin(y))

    shared = functools.partial(shared_functions, layer.key, layer)
    function = tf.function(lambda: gradient(shared))
    plain = functools.partial(layer, training=True)
    np.testing.assert_allclose(function(), gradient(plain), atol=1e-4)
    library = function.get_concrete_function().graph.as_graph_def().library
    (back,) = [
        f.signature.output_arg
        for f in library.function
        if "backward" in f.signature.name
    ]
    assert len(back) == 1 + watched


def test_what_has_no_weights_is_traced_once_for_both_kinds_of_passes():
    norm = functools.partial(BatchNorm, False, momentum=0.0)
    pool = NodeOperations(("max_pool_3x3",), True, 2, 1, False, norm)
    pool.build((1, 5, 5, 2))
    weighted, shared_functions = edge(), SharedFunctions()
    x, weights = tf.ones((1, 5, 5, 2)), tf.ones([3])

    @tf.function
    def both():
        for scope in (contextlib.nullcontext, set_constant_in_weights):
            with scope():
                shared_functions(pool.key, pool, x, [x])
                shared_functions(weighted.key, weighted, x, None, None, weights)

    both()
    kinds = [key[0] for key in shared_functions._functions]
    assert sorted(kinds) == ["edge", "edge", "node"]


def test_a_batch_norm_that_reads_its_own_statistics_is_refused():
    """Without this, every layer would follow the statistics of the first."""
    layer = EdgeOperations(COLUMNS, 2, 1, lambda: BatchNorm(False, momentum=0.9))
    layer(tf.zeros((1, 5, 5, 2)), None, None, tf.ones([3]), training=True)
    shared_functions, x = SharedFunctions(), tf.zeros((1, 5, 5, 2))

    @tf.function
    def call():
        return shared_functions(layer.key, layer, x, None, None, tf.ones([3]))

    with pytest.raises(ValueError, match="momentum 0.9"):
        call()
