"""Partial channels against numpy, put together as the authors' code does."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.cell import Cell
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.compiled.mixed_edges import MixedEdges
from darts_tf.networks.compiled.packed_edges import PackedEdges
from darts_tf.networks.partial_edges import (
    Joint,
    PartialEdges,
    channel_shuffle,
)
from darts_tf.space.cell import CellSpec
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation
from tests.precision import computed_in_float64
from tests.strategy.small_space import SMALL

NAMES = ("none", "max_pool_3x3", "skip_connect", "sep_conv_3x3")
SPEC = CellSpec("normal", 2, 2, (NAMES,) * 5, 2, (2, 3))
SEED = tf.constant([1, 2])


def shuffled(x, groups):
    """The definition, channel by channel."""
    each, y = x.shape[-1] // groups, np.empty_like(x)
    for group in range(groups):
        for place in range(each):
            y[..., place * groups + group] = x[..., group * each + place]
    return y


def windows(x, size, stride, margin, value=0.0):
    """[B, H, W, C] -> [B, H', W', C, size, size]."""
    sides = [(0, 0), (margin, margin), (margin, margin), (0, 0)]
    x = np.pad(x, sides, constant_values=value)
    seen = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))
    return seen[:, ::stride, ::stride]


def normalised(x):
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) / np.sqrt(variance + 1e-5)


def separable(x, depthwise, pointwise, stride):
    x = windows(np.maximum(x, 0), 3, stride, 1)
    x = np.einsum("bhwcij,ijc->bhwc", x, depthwise[..., 0])
    return normalised(x @ pointwise[0, 0])


def operation(name, x, stride, chains):
    """A candidate; `chains` are the edge's layers with weights."""
    if name == "max_pool_3x3":
        return normalised(windows(x, 3, stride, 1, -np.inf).max((-2, -1)))
    if name == "skip_connect" and stride == 1:
        return x
    if name == "skip_connect":
        x, reduce = np.maximum(x, 0), chains[0]
        x = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)])
        even = x[:, :-1:2, :-1:2] @ reduce.even.kernel.numpy()[0, 0]
        odd = x[:, 1::2, 1::2] @ reduce.odd.kernel.numpy()[0, 0]
        return normalised(np.concatenate([even, odd], -1))
    kernels = [v.numpy() for v in chains[-1].trainable_variables]
    return separable(separable(x, *kernels[:2], stride), *kernels[2:], 1)


def edge(x, weights, stride, chains, groups):
    """MixedOp.forward of the authors' model_search.py."""
    share = x.shape[-1] // groups
    mixed = sum(
        w * operation(name, x[..., :share], stride, chains)
        for w, name in zip(weights, NAMES)
        if name != "none"
    )
    others = x[..., share:]
    if stride == 2:
        high, wide = (n % 2 for n in x.shape[1:3])
        sides = [(0, 0), (0, high), (0, wide), (0, 0)]
        others = np.pad(others, sides, constant_values=-np.inf)
        others = windows(others, 2, 2, 0).max((-2, -1))
    return shuffled(np.concatenate([mixed, others], -1), groups)


@pytest.mark.parametrize(
    "groups, stride, size",
    [(2, 1, (6, 5)), (4, 1, (4, 4)), (2, 2, (7, 6)), (4, 2, (8, 8))],
)
def test_a_cell_is_the_authors(groups, stride, size):
    random = np.random.default_rng(groups)
    inputs = [random.standard_normal((2, *size, 8)) for _ in range(2)]
    weights = random.random((5, 4))
    beta = random.random(5)
    with computed_in_float64():
        units = [
            PartialEdges(
                MixedEdges(
                    SPEC,
                    source,
                    8 // groups,
                    stride if source < 2 else 1,
                    functools.partial(BatchNorm, False),
                ),
                groups,
                stride if source < 2 else 1,
            )
            for source in range(3)
        ]
        cell = Cell(units, 2, SPEC.concat, [None] * 2, Joint(groups))
        rows = np.concatenate([beta[:, None] * weights, beta[:, None]], 1)
        found = cell(
            list(map(tf.constant, inputs)),
            training=True,
            weights=tf.unstack(rows),
        )
    states = list(inputs)
    for target in SPEC.targets:
        states.append(
            sum(
                beta[row]
                * edge(
                    states[source],
                    weights[row],
                    stride if source < 2 else 1,
                    units[source].mixed.weighted[str(row)].chains,
                    groups,
                )
                for row, source in SPEC.incoming(target)
            )
        )
    expected = np.concatenate(states[2:], -1)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_channels_are_shuffled_as_defined():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 12))
    for groups in (1, 2, 3, 4, 12):
        found = channel_shuffle(tf.constant(x), groups)
        np.testing.assert_array_equal(found, shuffled(x, groups))


def test_packed_edges_of_nasbench201_too():
    spec = space_by_name("nasbench201").cells[0]
    x = tf.random.stateless_normal((2, 4, 4, 6), [1, 2])
    rows = tf.random.stateless_uniform((6, 6), [3, 4])
    mixed = PackedEdges(spec, 1, 2, functools.partial(BatchNorm, False))
    unit = PartialEdges(mixed, 3)
    alone = mixed(x[..., :2], weights=tf.unstack(rows), training=True)
    for (row, target), (end, terms), (_, expected) in zip(
        spec.outgoing(1),
        unit(x, tf.unstack(rows), training=True),
        alone,
        strict=True,
    ):
        assert end == target
        whole = tf.concat([tf.add_n(expected), rows[row, -1] * x[..., 2:]], -1)
        np.testing.assert_allclose(
            Joint(3)(terms), shuffled(whole.numpy(), 3), atol=1e-6
        )


def supernet(space, groups, **more):
    keras.utils.set_random_seed(0)
    kind = nasbench201 if space.name == "nasbench201" else conv
    model = kind.Supernet(space, 4, 3, 3, partial_channels=groups, **more)
    alpha = [
        tf.constant(rows, keras.config.floatx())
        for rows in relaxation.initial_alpha(space, 0, groups > 1)
    ]
    images = tf.random.stateless_normal((4, 8, 8, 1), [5, 6])
    images = tf.cast(images, keras.config.floatx())
    model(images, relaxation.cells_of(alpha, space, model.kinds))
    w = [tf.constant(v) for v in model.trainable_variables]
    return model, w, alpha, (images, tf.constant([0, 1, 2, 1]))


@pytest.mark.slow
def test_gradients_of_alpha_and_beta_are_difference_quotients():
    with computed_in_float64():
        model, w, alpha, batch = supernet(SMALL, 2)
        loss = relaxation.supernet_loss(model)
        found, _, _ = bilevel.grad_alpha(loss, w, alpha, batch, SEED)
        step = 1e-6
        for kind, gradient in enumerate(found):
            assert gradient.shape == (2, 6)
            for column in range(6):
                ends = []
                for sign in (1, -1):
                    moved = [a.numpy() for a in alpha]
                    moved[kind][0, column] += sign * step
                    ends.append(loss(w, moved, batch, SEED)[0].numpy())
                quotient = (ends[0] - ends[1]) / (2 * step)
                assert gradient[0, column].numpy() == pytest.approx(quotient, abs=1e-8)
            size = np.abs(gradient)
            assert size[:, -1].max() > 1e-5 and size[:, :-1].max() > 1e-5
            # Softmax of beta over the edges of the only node: no change
            # where both move alike.
            assert abs(sum(gradient[:, -1].numpy())) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "nasbench201"])
def test_compiled_and_recomputed_as_eager(name):
    space = SMALL if name == "small" else space_by_name(name)
    results = []
    for recompute in (False, True):
        model, _, alpha, batch = supernet(space, 2, recompute=recompute)
        weights = FlatWeights(model)
        loss = weights.loss(relaxation.supernet_loss(model))
        piece = functools.partial(bilevel.grad_w_alpha, loss)
        for run in [tf.function(piece)] if recompute else [tf.function(piece), piece]:
            by_w, *others = run(weights.values(), alpha, batch, SEED)
            results.append([weights.unpack(by_w), *others])
    first, *others = map(tf.nest.flatten, results)
    for other in others:
        for a, b in zip(first, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4 * np.abs(a).max())


def test_operations_are_as_small_as_the_channels_they_see():
    whole, part = (supernet(SMALL, k)[0] for k in (1, 4))
    (large,), (small,) = (
        [v.shape for v in model.trainable_variables if "depthwise" in v.path][:1]
        for model in (whole, part)
    )
    assert (large[2], small[2]) == (4, 1)
    assert not any(
        isinstance(unit, PartialEdges) for cell in whole.cells for unit in cell.units
    )


@pytest.mark.parametrize("kind", [conv, nasbench201])
@pytest.mark.parametrize("groups", [0, 3])
def test_what_does_not_divide_is_refused(kind, groups):
    space = SMALL if kind is conv else space_by_name("nasbench201")
    with pytest.raises(InputError, match=f"`partial_channels={groups}`"):
        kind.Supernet(space, 4, 3, 3, partial_channels=groups)
