"""The loop around the decisions, on a supernet of the smallest size."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.conv import Supernet
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.one_shot import perturbation_loop

NAMES = ("none", "skip_connect", "max_pool_3x3", "dil_conv_3x3")
SMALL = SearchSpace(
    SPACE.name,
    tuple(
        CellSpec(name, 2, 2, (NAMES,) * 5, 2, (2, 3)) for name in ("normal", "reduce")
    ),
    SPACE.operations,
)
TUNE, TRAIN, BATCH = 1, 2, 6
ROUND = 1 + TUNE * TRAIN
SETTINGS = perturbation_loop.PerturbationSettings(
    TUNE, TRAIN, BATCH, learning_rate=0.5, learning_rate_min=0.01, seed=4
)


def batches(start):
    for step in itertools.count(start):
        random = np.random.default_rng(step)
        images = random.standard_normal((BATCH, 8, 8, 1)).astype(np.float32)
        yield tf.constant(images), tf.constant([0, 1, 2, 2, 1, 0])


@pytest.fixture(scope="module")
def loop():
    keras.utils.set_random_seed(0)
    net = Supernet(SMALL, 1, 3, 3)
    random = np.random.default_rng(0)
    weights = {s.name: random.dirichlet(np.ones(4), 5) for s in SMALL.cells}
    rows = [tf.constant(w, tf.float32) for w in weights.values()]
    net(tf.zeros((1, 8, 8, 1)), relaxation.per_cell(rows, SMALL, net.kinds))
    return perturbation_loop.PerturbationLoop(
        net,
        [FlatWeights(net).packed()],
        weights,
        SETTINGS,
        batches,
        lambda: itertools.islice(batches(50), 4),
        Replicas("one_device"),
    )


@pytest.fixture(scope="module")
def start(loop):
    """The state before the first step."""
    return loop.state()


def differing(before, after) -> set[str]:
    """The groups of arrays in which two states differ."""
    return {
        name.rpartition("/")[2] if "selection" in name else name.split("/")[0]
        for name in before
        if not np.array_equal(before[name], after[name])
    }


@pytest.mark.slow
def test_a_round_is_a_decision_and_its_tuning(loop, start):
    loop.restore(start)
    assert loop.steps_per_epoch == ROUND
    assert loop.selection.rounds == 5 + 1  # node 3 has three edges
    assert loop.total_steps == 5 * ROUND + 1
    assert loop.advance() == {}
    decided = loop.state()
    assert differing(start, decided) == {"step", "chosen", "without_operation"}
    scalars = loop.advance()
    assert differing(decided, loop.state()) == {"step", "w", "w_slots"}
    assert set(scalars) == {"train/loss", "train/accuracy", "learning_rate"}


def test_measures_with_the_batchs_statistics(loop, start):
    """And without an operation that is left out, on the same batches."""
    loop.restore(start)
    weights = loop.selection.weights()
    assert loop.accuracy(weights) == loop.accuracy(weights)
    weights["normal"][:, 3] = 0
    rows = [tf.constant(w, tf.float32) for w in weights.values()]
    cells = relaxation.per_cell(rows, SMALL, loop.model.kinds)
    hits = 0
    for images, labels in itertools.islice(batches(50), 4):
        logits = loop.model(images, cells, training=True)
        hits += int((logits.numpy().argmax(-1) == labels.numpy()).sum())
    assert loop.accuracy(weights) == pytest.approx(hits / (4 * BATCH))


@pytest.mark.slow
def test_tuning_descends_on_the_decided_supernet(loop, start):
    loop.restore(start)
    losses = []
    for step in range(4 * ROUND):
        scalars = loop.advance()
        if step % ROUND:
            losses.append(float(scalars["train/loss"]))
    assert np.isfinite(losses).all() and len(set(losses)) == len(losses)
    first = perturbation_loop.RATE_SHARE * SETTINGS.learning_rate
    rates = [loop.learning_rate(done) for done in range(5 * TRAIN)]
    assert rates[0] == rates[1] == pytest.approx(first)
    assert sorted(set(rates), reverse=True) == rates[::TRAIN]
    assert 0.01 < rates[-1] < 0.02


@pytest.mark.slow
def test_resumed_anywhere_is_as_left_alone(loop, start):
    loop.restore(start)
    states, records = [], []
    while loop.step < loop.total_steps:
        states.append(loop.state())
        loop.advance()
        if loop.step % ROUND == 0:
            records.append(loop.end_epoch())
    records.append(loop.end_epoch())
    last, genotype = loop.state(), loop.genotype()
    for stop in (1, ROUND, 2 * ROUND + 2):
        loop.restore(states[stop])
        again = []
        while loop.step < loop.total_steps:
            loop.advance()
            if loop.step % ROUND == 0:
                again.append(loop.end_epoch())
        assert again == records[stop // ROUND : -1]
        for name, array in loop.state().items():
            np.testing.assert_array_equal(array, last[name], err_msg=name)
    assert loop.genotype() == genotype
    # At the end every edge has one operation or none: a derived network.
    for rows in loop.selection.weights().values():
        assert set(rows.ravel()) == {0, 1} and rows.sum() == 4
    decisions = [d for record in records for d in record["decided"]]
    assert decisions == loop.selection.all_records()
