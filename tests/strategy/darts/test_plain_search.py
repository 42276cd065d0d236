"""Plain and compiled searches compute the same, with registered operations too."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.networks import operation_registry
from darts_tf.networks.conv import Supernet
from darts_tf.networks.operations import register_operation
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Execution, weights_of
from tests.precision import computed_in_float64
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_search import small_search
from tests.strategy.small_space import SMALL, SMALLER

pytestmark = pytest.mark.slow

layers = keras.layers
CANDIDATES = "none", "skip_connect", "tested_ghost"
REGISTERED = SearchSpace(
    name="registered",
    cells=tuple(
        CellSpec(name, 2, 1, (CANDIDATES,) * 2, 2, (2,))
        for name in ("normal", "reduce")
    ),
    operations=(*SPACE.operations, "tested_ghost"),
)
SEED = tf.constant([3, 4])


@pytest.fixture(scope="module", autouse=True)
def ghost():
    """Registers an operation with a batch norm of Keras's."""

    @register_operation("tested_ghost")
    def make(channels, stride):
        return keras.Sequential(
            [
                layers.ReLU(),
                layers.DepthwiseConv2D(3, stride, "same", use_bias=False),
                layers.Conv2D(channels, 1, use_bias=False),
                layers.BatchNormalization(),
            ]
        )

    yield
    operation_registry.unregister_operation("tested_ghost")


def built(space, compiled: bool, **options) -> Supernet:
    """A supernet for images [B, 8, 8, 1]."""
    keras.utils.set_random_seed(0)
    channels = options.get("partial_channels", 1)
    net = Supernet(space, channels, 3, 3, compiled=compiled, **options)
    net.build((None, 8, 8, 1))
    return net


def copy_weights(source: Supernet, target: Supernet) -> None:
    """Gives one supernet the weights of another with the same operations."""
    pairs = [*zip(source.stems, target.stems), (source.classifier, target.classifier)]
    for one, other in zip(source.cells, target.cells, strict=True):
        pairs += zip(one.inputs_to_states, other.inputs_to_states, strict=True)
        for mixed, twin in zip(one.units, other.units, strict=True):
            mixed, twin = (getattr(m, "mixed", m) for m in (mixed, twin))
            pairs += [
                (mixed.operation(row, name), twin.operation(row, name))
                for row, _ in mixed.edges
                for name in ("tested_ghost", "sep_conv_3x3", "dil_conv_3x3")
                if name in mixed.names[row]
            ]
    for layer, twin in pairs:
        for old, new in zip(layer.variables, twin.variables, strict=True):
            new.assign(old)


def batch(seed: int):
    """Four images of float64 and their labels."""
    images = tf.random.stateless_normal((4, 8, 8, 1), [seed, 0], dtype=tf.float64)
    return images, tf.constant([0, 1, 2, 1])


class Gradients:
    """eq. 7 of a supernet at its weights; the methods share what is compiled."""

    def __init__(self, net: Supernet, **execution):
        self.weights = weights_of(net)
        self.loss = self.weights.loss(relaxation.supernet_loss(net))
        exact = bilevel.reverse_over_reverse
        if not net.plain_edges and net.has_directional_derivatives:
            exact = bilevel.forward_over_reverse
        one = Replicas("one_device")
        execution = Execution(one, compiled=not net.plain_edges, **execution)
        self._gradient = ArchitectureGradient(self.loss, "", execution, exact=exact)

    def __call__(self, method: str, alpha):
        self._gradient.method = method
        w = self.weights.values()
        sgd, rate = SGD(0.9, 3e-4, 5.0), tf.constant(0.1, tf.float64)
        unroll = bilevel.Unroll(sgd, [tf.ones_like(t) for t in w], rate)
        return self._gradient(w, alpha, batch(1), batch(2), SEED, unroll)[0]


def alpha_of(space, partial_channels: int = 1) -> list:
    """alpha at the start, in float64."""
    start = relaxation.initial_alpha(space, 0, partial_channels > 1)
    return [tf.constant(rows, tf.float64) for rows in start]


OPTIONS = {
    "plain": ({}, {}),
    "partial": ({"partial_channels": 2}, {}),
    "recompute": ({"recompute": True, "second_derivatives": True}, {}),
    "micro_batches": ({}, {"micro_batches": 2}),
}


@pytest.mark.parametrize(
    "space, option, methods",
    [
        (SMALL, "plain", ["finite_difference", "exact"]),
        (REGISTERED, "plain", ["finite_difference", "exact"]),
        (REGISTERED, "recompute", ["exact"]),
        (REGISTERED, "partial", ["first_order"]),
        (REGISTERED, "micro_batches", ["first_order"]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_alpha_gradients_are_equal_in_float64(space, option, methods):
    """The finite difference has the gradient of first order, twice."""
    network, execution = OPTIONS[option]
    with computed_in_float64():
        plain, fast = (built(space, compiled, **network) for compiled in (False, True))
        copy_weights(plain, fast)
        alpha = alpha_of(space, plain.partial_channels)
        one_by_one, shared = (Gradients(net, **execution) for net in (plain, fast))
        for method in methods:
            expected, same = one_by_one(method, alpha), shared(method, alpha)
            for one, other in zip(expected, same, strict=True):
                scale = np.abs(one).max()
                assert scale > 1e-6
                np.testing.assert_allclose(
                    other, one, atol=1e-7 * scale, err_msg=method
                )


def test_a_registered_operation_has_the_gradient_of_a_difference_quotient():
    with computed_in_float64():
        net, alpha = built(REGISTERED, True), alpha_of(REGISTERED)
        (normal, reduce), length = alpha, 1e-5
        gradients = Gradients(net)
        slope = gradients("first_order", alpha)[0][1, 2]
        w = gradients.weights.values()
        ends = []
        for sign in (1, -1):
            moved = normal.numpy()
            moved[1, 2] += sign * length
            ends.append(
                gradients.loss(w, [tf.constant(moved), reduce], batch(2), SEED)[0]
            )
    assert abs(slope) > 1e-6
    assert float(slope) == pytest.approx(
        float(ends[0] - ends[1]) / (2 * length), rel=1e-4
    )


@pytest.mark.parametrize(
    "space, options",
    [(REGISTERED, {}), (SMALLER, {"layers": 4, "lambda_regularizer": "cosine"})],
    ids=["registered", "lambda"],
)
def test_a_plain_search_moves_alpha_as_the_compiled_one_does(space, options):
    options = {"alpha_learning_rate": 0.01, **options}
    plain, fast = (
        small_search("first_order", space=space, compiled=compiled, **options)
        for compiled in (False, True)
    )
    assert len(plain.task.w) > len(fast.task.w) == 1
    copy_weights(plain.task.model, fast.task.model)
    fast.task.w[0].assign(weights_of(fast.task.model).packed())
    for _ in range(3):
        plain.advance()
        fast.advance()
    for one, other in zip(plain.architecture.values(), fast.architecture.values()):
        np.testing.assert_allclose(one, other, atol=2e-3)
        assert np.abs(one).max() > 0.01
    assert 0 <= plain.end_epoch()["valid/accuracy"] <= 1


@pytest.mark.parametrize("compiled", [True, False])
def test_a_search_of_registered_operations_resumes_exactly(compiled):
    first = small_search("first_order", space=REGISTERED, compiled=compiled)
    first.advance()
    halfway = first.state()
    first.advance()
    again = small_search("first_order", space=REGISTERED, compiled=compiled)
    again.restore(halfway)
    again.advance()
    wanted, resumed = first.state(), again.state()
    assert wanted.keys() == resumed.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(array, resumed[name], err_msg=name)
