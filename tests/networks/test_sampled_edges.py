"""Edges that compute one candidate each, beside those that compute all."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.cell import Edges
from darts_tf.space import nasbench201 as nasbench201_space
from darts_tf.space.cell import NOISE, CellSpec, SearchSpace
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.execution import Execution, weights_of
from darts_tf.strategy.darts.relaxation import supernet_loss
from tests.strategy.small_space import CANDIDATES, SMALL

WITH_NOISE = SearchSpace(
    name=SPACE.name,
    cells=tuple(
        CellSpec(name, 2, 1, ((*CANDIDATES, NOISE),) * 2, 2, (2,))
        for name in ("normal", "reduce")
    ),
    operations=SPACE.operations,
)
SUPERNETS = {
    "small": lambda **how: conv.Supernet(SMALL, 2, 3, 3, **how),
    "noise": lambda **how: conv.Supernet(WITH_NOISE, 2, 3, 3, **how),
    "partial": lambda **how: conv.Supernet(SMALL, 4, 3, 3, partial_channels=2, **how),
    "nasbench201": lambda **how: nasbench201.Supernet(
        nasbench201_space.SPACE, 2, 3, 3, **how
    ),
}
SEED = tf.constant([0, 5])


def pair(name: str, compiled: bool):
    """Returns (a network of a single path, one that computes all) of equal weights."""
    keras.utils.set_random_seed(0)
    single = SUPERNETS[name](compiled=compiled, single_path=True)
    every = SUPERNETS[name](compiled=False)
    for net in (single, every):
        net.build((None, 8, 8, 3))
    for a, b in zip(single.trainable_variables, every.trainable_variables, strict=True):
        b.assign(a.value)
    return single, every


def paths(net, choice: int) -> list:
    """Returns 1 for a candidate of each edge, another one for each `choice`."""
    rows = []
    for number, spec in enumerate(net.space.cells):
        edges, candidates = spec.alpha_shape
        chosen = (np.arange(edges) * 2 + choice + number) % candidates
        row = np.eye(candidates, dtype=np.float32)[chosen]
        if net.partial_channels > 1:
            row = np.concatenate([row, np.zeros((edges, 1), np.float32)], 1)
        rows.append(tf.constant(row))
    return rows


def results(net, weights, compiled: bool):
    """Returns (gradient by w as one vector, by weights, loss, statistics)."""
    images = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype(np.float32)
    batch = tf.constant(images), tf.constant([0, 1, 2, 1])
    layout = weights_of(net)
    loss = layout.loss(supernet_loss(net, relaxed=True))
    with Execution(Replicas("one_device"), compiled=compiled).active():
        g, by_weights, value, aux = bilevel.grad_w_alpha(
            loss, layout.values(), weights, batch, SEED
        )
    vector = np.concatenate([np.ravel(t) for t in g])
    return vector, by_weights, float(value), aux["statistics"].numpy()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, compiled",
    [
        ("small", False),
        ("small", True),
        ("noise", False),
        ("partial", False),
        ("nasbench201", True),
    ],
)
def test_a_path_is_the_mixture_in_which_it_has_all_the_weight(name, compiled):
    single, every = pair(name, compiled)
    for choice in (0, 3):
        weights = paths(single, choice)
        g, by_weights, value, statistics = results(single, weights, compiled)
        g_every, by_every, expected, _ = results(every, weights, False)
        assert value == pytest.approx(expected, rel=1e-5)
        ordered = g if not compiled else unpacked(single, g)
        np.testing.assert_allclose(ordered, g_every, rtol=1e-3, atol=1e-5)
        for seen, all_of_them, row in zip(by_weights, by_every, weights, strict=True):
            chosen = row.numpy() > 0
            np.testing.assert_allclose(
                seen.numpy()[chosen], all_of_them.numpy()[chosen], rtol=1e-3, atol=1e-5
            )
            candidates = slice(
                None, min(row.shape[1], len(single.space.cells[0].candidates[0]))
            )
            others = ~chosen[:, candidates]
            np.testing.assert_array_equal(seen.numpy()[:, candidates][others], 0)
        assert 0 < np.isnan(statistics).sum() < statistics.size


def unpacked(net, vector: np.ndarray) -> np.ndarray:
    """Returns a flat gradient in the order of the network's variables."""
    parts = weights_of(net).unpack([tf.constant(vector)])
    return np.concatenate([np.ravel(p) for p in parts])


def test_it_is_an_edges_layer_whose_operations_can_be_asked_for():
    keras.utils.set_random_seed(0)
    net = SUPERNETS["small"](single_path=True)
    net.build((None, 8, 8, 3))
    unit = net.cells[0].units[0]
    assert isinstance(unit, Edges) and not net.has_directional_derivatives
    row, _ = unit.edges[0]
    assert unit.operation(row, "sep_conv_3x3").trainable_variables
