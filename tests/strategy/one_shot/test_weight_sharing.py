"""Random search with weight sharing, on supernets of the smallest size."""

from __future__ import annotations

import dataclasses
import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import DivergedError, InputError
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.run.loop.driver import drive
from darts_tf.run.workdir import open_workdir
from darts_tf.space.nasbench201 import SPACE as NB201
from darts_tf.strategy.one_shot.weight_sharing import (
    RandomWeightSharing,
    WeightSharingSettings,
)
from tests.strategy.small_space import SMALL

EPOCHS, TRAIN, RANKED, BATCH = 2, 3, 4, 6
SETTINGS = WeightSharingSettings(
    EPOCHS, TRAIN, BATCH, RANKED, learning_rate=0.2, weight_decay=0.0, seed=3
)


def batches(start):
    for step in itertools.count(start):
        random = np.random.default_rng(step)
        images = random.standard_normal((BATCH, 8, 8, 1)).astype(np.float32)
        yield tf.constant(images), tf.constant([0, 1, 2, 2, 1, 0])


def measured():
    return itertools.islice(batches(50), 2)


def new(space, network, channels, settings=SETTINGS):
    keras.utils.set_random_seed(0)
    model = network(space, channels, 3, 3)
    rows = {s.name: tf.ones(s.alpha_shape) for s in space.cells}
    model(tf.zeros((1, 8, 8, 1)), [rows[kind] for kind in model.kinds])
    return RandomWeightSharing(
        model, settings, batches, measured, Replicas("one_device")
    )


@pytest.fixture(scope="module")
def conv_loop():
    return new(SMALL, conv.Supernet, 1)


@pytest.fixture(scope="module")
def cell_loop():
    return new(NB201, nasbench201.Supernet, 2)


@pytest.fixture(params=["conv_loop", "cell_loop"])
def loop(request):
    return request.getfixturevalue(request.param)


def by_hand(loop, genotype):
    """Mixing weights of a genotype, written down anew, for each cell."""
    tables = {}
    for spec in loop.space.cells:
        table = np.zeros(spec.alpha_shape, np.float32)
        edges = iter(genotype.cells[spec.name].edges)
        for node in range(spec.inputs, spec.inputs + spec.nodes):
            for _ in range(spec.predecessors or node):
                operation, source = next(edges)
                row = spec.edges.index((source, node))
                table[row, spec.candidates[row].index(operation)] = 1
        tables[spec.name] = tf.constant(table)
    return [tables[kind] for kind in loop.model.kinds]


@pytest.mark.slow
def test_a_genotype_is_measured_with_its_operations_alone(loop):
    for number in range(3):
        genotype = loop.candidate(number)
        cells = by_hand(loop, genotype)
        hits = [
            loop.model(images, cells, training=True).numpy().argmax(-1)
            == labels.numpy()
            for images, labels in measured()
        ]
        assert loop.accuracy(genotype) == pytest.approx(np.mean(hits))


@pytest.mark.slow
def test_a_step_moves_what_its_genotype_uses_and_nothing_else(loop):
    """Steps start from the model's own weights, which stay."""
    start = loop.state()
    genotype, (images, labels) = loop.trained(loop.step), next(batches(0))
    loop.advance()
    row = FlatWeights(loop.model)
    before, after = (row.unpack([state["w/00000"]]) for state in (start, loop.state()))
    moved = [bool(np.any(x != y)) for x, y in zip(before, after)]
    loop.restore(start)
    w = [v.value for v in loop.model.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        logits = loop.model(images, by_hand(loop, genotype), training=True)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(entropy)
    gradient = tape.gradient(loss, w, unconnected_gradients="zero")
    used = [bool(np.any(g.numpy())) for g in gradient]
    assert moved == used and 0 < sum(used) < len(used)
    norm = min(1, 5 / float(tf.linalg.global_norm(gradient)))
    for old, new, g in zip(before, after, gradient):
        expected = old - SETTINGS.learning_rate * norm * g
        np.testing.assert_allclose(new, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, skipped",
    [
        ("mixed_bfloat16", {}),
        ("mixed_float16", {"train/skipped": 0.0}),
    ],
)
def test_it_descends_in_low_precision(cell_loop, name, skipped):
    """Near the float32 step, and not the same; measured in float32."""
    usual, start = cell_loop, cell_loop.state()
    low = new(
        NB201, nasbench201.Supernet, 2, dataclasses.replace(SETTINGS, precision=name)
    )
    low.restore(start)
    assert low.accuracy(low.candidate(0)) == usual.accuracy(low.candidate(0))
    first = low.advance()
    assert {n: v for n, v in first.items() if "skip" in n} == skipped
    usual.advance()
    moved, expected = (
        loop.state()["w/00000"] - start["w/00000"] for loop in (low, usual)
    )
    usual.restore(start)
    away = np.linalg.norm(moved - expected) / np.linalg.norm(expected)
    assert 1e-5 < away < 0.2


@pytest.mark.slow
def test_resumed_anywhere_is_as_left_alone(loop):
    start, states, records = loop.state(), [], []
    while loop.step < loop.total_steps:
        states.append(loop.state())
        loop.advance()
        if loop.step % TRAIN == 0:
            records.append(loop.end_epoch())
    assert len(loop.worths) == RANKED
    assert len({loop.trained(i) for i in range(EPOCHS * TRAIN)}) > 3
    last, best = loop.state(), loop.best_genotype()
    assert loop.accuracy(best) == max(loop.worths)
    for stop in (1, TRAIN, EPOCHS * TRAIN + 2):
        loop.restore(states[stop])
        while loop.step < loop.total_steps:
            loop.advance()
        for name, array in loop.state().items():
            np.testing.assert_array_equal(array, last[name], err_msg=name)
        assert loop.best_genotype() == best
    watched = [r["valid/accuracy"] for r in records[:EPOCHS]]
    # All four candidates are watched, with the weights that rank them.
    assert watched[-1] == pytest.approx(np.mean(last["worths"]))
    assert records[-1] == {"incumbent": max(last["worths"][:TRAIN])}
    loop.restore(start)


@pytest.mark.slow
def test_a_batch_that_is_not_finite_stops_it(cell_loop, monkeypatch, tmp_path):
    start = cell_loop.state()

    def spoilt(first):
        for step, (images, labels) in enumerate(batches(first), first + 1):
            yield images * (math.nan if step == 3 else 1.0), labels

    with monkeypatch.context() as patch, open_workdir(tmp_path, {}, "") as workdir:
        patch.setattr(cell_loop, "_data", spoilt)
        with pytest.raises(DivergedError, match="nan at step 3: .*step-00000002.npz"):
            drive(cell_loop, workdir, report_every=1, checkpoint_every=1)
    cell_loop.restore(start)


def test_a_checkpoint_of_another_search_is_refused(cell_loop):
    state = cell_loop.state()
    with pytest.raises(InputError, match="weight sharing"):
        cell_loop.restore({n: a for n, a in state.items() if n != "worths"})
    with pytest.raises(InputError, match="weight sharing"):
        cell_loop.restore(state | {"worths": np.ones(1)})
