"""Searches with Lambda-DARTS and in the robust spaces, eagerly."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.conv import EvaluationNetwork, Supernet
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.published import load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation, tasks
from darts_tf.strategy.darts import search_loop as search_module
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_search import batches
from tests.strategy.small_space import SMALL

SMALL_NOISE = SearchSpace(
    name="s4",
    cells=tuple(
        CellSpec(name, 2, 1, (("noise", "sep_conv_3x3"),) * 2, 2, (2,))
        for name in ("normal", "reduce")
    ),
    operations=("noise", "sep_conv_3x3"),
)


class Eager(Replicas):
    """One device without graphs: few steps are cheaper than their traces."""

    def compile(self, function):
        return function


def search(space, layers=4, epochs=3, method="first_order", **more):
    """One step an epoch."""
    keras.utils.set_random_seed(0)
    net = Supernet(space, 1, layers, 3)
    start = relaxation.initial_alpha(space, 0)
    cells = relaxation.per_cell(start, space, net.kinds)
    net(tf.zeros((1, 8, 8, 1)), cells)
    replicas = Eager("one_device")
    task = tasks.ImageTask(net, batches, batches, lambda: [next(batches(50))], replicas)
    settings = search_module.SearchSettings(
        method, epochs, 1, 4, compiled=False, **more
    )
    return search_module.Search(task, settings, replicas)


def advance(loop, steps):
    return [{n: float(v) for n, v in loop.advance().items()} for _ in range(steps)]


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(first[n], second[n]) for n in first
    )


@pytest.mark.slow
def test_lambda_rises_acts_on_w_and_is_resumed_exactly():
    plain, loop = (
        search(SMALL, method="finite_difference", lambda_regularizer=kind)
        for kind in ("none", "cosine")
    )
    rows = advance(loop, 1)
    advance(plain, 1)
    for name, value in plain.state().items():  # lambda is 0 so far
        np.testing.assert_allclose(loop.state()[name], value, atol=1e-5)
    rows += advance(loop, 1)
    advance(plain, 1)
    assert [row["lambda"] for row in rows] == [0, 0.0625]
    assert all(-1 <= row["train/layer_alignment"] <= 1 for row in rows)
    assert [row["train/regularizer_share"] > 0 for row in rows] == [0, 1]
    there, here = loop.state(), plain.state()
    moved = [
        n
        for n in here
        if n.startswith("w/") and np.abs(there[n] - here[n]).max() > 1e-4
    ]
    assert moved
    rows = advance(loop, 1)
    after = loop.state()
    loop.restore(there)
    assert advance(loop, 1) == rows and same(loop.state(), after)


@pytest.mark.slow
def test_sign_and_all_cells_are_other_searches():
    ends = []
    for more in (
        {"lambda_regularizer": "cosine"},
        {"lambda_regularizer": "sign"},
        {"lambda_regularizer": "cosine", "lambda_cells": "all"},
    ):
        loop = search(SMALL, layers=5, lambda_strength=1.0, **more)
        advance(loop, 2)
        ends.append(loop.state()["w/00000"])
    for i in range(3):
        assert not np.array_equal(ends[i], ends[i - 1])


def test_one_normal_cell_is_refused_before_any_step():
    with pytest.raises(InputError, match="1 'normal'.*`layers`"):
        search(SMALL, layers=3, lambda_regularizer="cosine")


@pytest.mark.slow
def test_two_spaces_in_one_process_do_not_know_of_each_other():
    s1, s4 = (space_by_name(name) for name in ("s1", "s4"))
    alone = search(s4, layers=3)
    advance(alone, 2)
    first, second = (search(space, layers=3) for space in (s4, s1))
    for _ in range(2):
        advance(first, 1)
        advance(second, 1)
    assert same(first.state(), alone.state())
    assert {c.shape[1] for c in first.architecture.values()} == {2}
    for loop, space in ((first, s4), (second, s1)):
        genotype = loop.genotype()
        assert genotype.space == space.name
        assert 0 <= loop.end_epoch()["valid/accuracy"] <= 1
        network = EvaluationNetwork(genotype, 1, 3, 3, auxiliary=False)
        assert network(next(batches(0))[0]).shape == (4, 3)


@pytest.mark.slow
def test_a_pass_with_noise_is_decided_by_its_seed():
    """So w+ and w- of eq. 8, and both points of Lambda-DARTS, differ in w."""
    loop = search(SMALL_NOISE, layers=3)
    loss = loop.task.train_loss
    w, alpha = loop.weights.read(), loop.architecture.read()
    batch = next(batches(0))
    first, again, other = (
        float(loss(w, alpha, batch, tf.constant([0, seed]))[0]) for seed in (1, 1, 2)
    )
    assert first == again != other
    gradient = ArchitectureGradient(loss, "finite_difference", loop.execution)
    unroll = bilevel.Unroll(
        loop.weights.sgd, loop.weights.read_slots(), tf.constant(0.025)
    )
    first, again, other = (
        gradient(w, alpha, batch, batch, tf.constant([0, seed]), unroll)[0][0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0
    measured = [loop.end_epoch() for _ in range(2)]
    assert measured[0] == measured[1]


@pytest.mark.slow
def test_an_evaluation_network_with_noise_runs_in_a_graph_of_any_batch():
    genotype = load_genotype("LAMBDA_C10", "s4")
    text = genotype.to_json().replace("sep_conv_3x3", "noise", 6)
    noisy = type(genotype).from_json(text)  # six of eight edges
    assert noisy.count("noise", "normal") == 6
    network = EvaluationNetwork(noisy, 1, 3, 3, auxiliary=False)
    images = next(batches(0))[0]
    network(images)
    spec = tf.TensorSpec((None, 8, 8, 1))
    graph = tf.function(network.call, input_signature=[spec])
    eager = network(images)
    np.testing.assert_allclose(graph(images), eager, atol=1e-5)
    np.testing.assert_allclose(graph(images[:1]), eager[:1], atol=1e-5)
    train = [
        network(images, seed=tf.constant([0, s]), training=True) for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(train[0], train[1])
    assert np.abs(train[0] - train[2]).max() > 1e-4
