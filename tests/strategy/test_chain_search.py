"""Searches of a chain: a step, and the exact gradient."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.networks.chain import Supernet
from darts_tf.strategy.darts import bilevel, relaxation, tasks
from darts_tf.strategy.darts import search_loop as search_module
from darts_tf.strategy.darts.execution import weights_of
from darts_tf.strategy.diagnostics.instruments import skip_connections
from tests.precision import computed_in_float64
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_chain import SMALL_CHAIN, small_chain
from tests.strategy.small_search import batches
from tests.strategy.test_search_spaces import Eager

assert small_chain  # a fixture


def search():
    """One step an epoch, eagerly."""
    keras.utils.set_random_seed(0)
    model = Supernet(SMALL_CHAIN, 1.0, 8, 3, compiled=False)
    model.build((None, 8, 8, 1))
    replicas = Eager("one_device")
    task = tasks.ImageTask(
        model, batches, batches, lambda: [next(batches(50))], replicas
    )
    settings = search_module.SearchSettings("first_order", 2, 1, 4, compiled=False)
    return search_module.Search(task, settings, replicas)


def test_a_search_moves_the_alpha_of_each_layer(small_chain):
    loop = search()
    start = loop.architecture.values()
    loop.advance()
    for before, after in zip(start, loop.architecture.values(), strict=True):
        assert (before != after).all()
    assert loop.genotype().space == small_chain.name
    counted = skip_connections(loop)
    assert counted["skip_connections/first"] == 0 and not counted["collapsed/later"]


@pytest.mark.slow
def test_the_exact_gradient_is_that_of_a_difference_quotient(small_chain):
    """Compares it at w', along a direction of alpha, in float64."""
    rate, seed = tf.constant(0.05, tf.float64), tf.constant([0, 0])
    with computed_in_float64():
        keras.utils.set_random_seed(0)
        model = Supernet(small_chain, 1.0, 8, 3)
        model.build((None, 8, 8, 1))
        weights = weights_of(model)
        loss, w = weights.loss(relaxation.supernet_loss(model)), weights.values()
        alpha = [
            tf.constant(a, tf.float64) for a in relaxation.initial_alpha(small_chain, 0)
        ]
        train, valid = (
            (tf.cast(x, tf.float64), y) for x, y in itertools.islice(batches(0), 2)
        )
        unroll = bilevel.Unroll(SGD(), [], rate)
        exact = ArchitectureGradient(loss, "exact")
        gradient = exact(w, alpha, train, valid, seed, unroll)[0]
        first_order = ArchitectureGradient(loss, "first_order")
        direct = first_order(w, alpha, train, valid, seed, unroll)[0]

        def unrolled(alpha):
            g = bilevel.grad_w(loss, w, alpha, train, seed)[0]
            return float(loss(unroll.step(w, g), alpha, valid, seed)[0])

        random, h = np.random.default_rng(0), 1e-6
        direction = [random.normal(size=a.shape) for a in alpha]
        ends = [
            unrolled([a + sign * h * d for a, d in zip(alpha, direction)])
            for sign in (1, -1)
        ]
    slope, first_slope = (
        sum(float(np.sum(g * d)) for g, d in zip(gradients, direction))
        for gradients in (gradient, direct)
    )
    quotient = (ends[0] - ends[1]) / (2 * h)
    assert slope == pytest.approx(quotient, rel=1e-4)
    assert abs(first_slope - quotient) > 0.01 * abs(quotient)
