"""Searches with partial channels, beta and a warm-up, eagerly."""

from __future__ import annotations

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.config import SearchConfig
from darts_tf.errors import InputError
from darts_tf.networks.conv import Supernet
from darts_tf.programs import diagnostics, records, report
from darts_tf.programs.alpha_history import AlphaHistory
from darts_tf.run.tensorboard import Reporter
from darts_tf.run.workdir import Workdir
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts import bilevel, relaxation, tasks
from darts_tf.strategy.darts import search_loop as search_module
from tests.strategy.small_space import SMALL
from tests.strategy.test_search_spaces import Eager, advance, batches, same


def search(method="first_order", groups=2, **more) -> search_module.Search:
    """One step an epoch."""
    keras.utils.set_random_seed(0)
    net = Supernet(SMALL, 2, 3, 3, partial_channels=groups)
    start = relaxation.initial_alpha(SMALL, 0, groups > 1)
    cells = relaxation.cells_of(start, SMALL, net.kinds)
    net(tf.zeros((1, 8, 8, 1)), cells)
    replicas = Eager("one_device")
    task = tasks.ImageTask(net, batches, batches, lambda: [next(batches(50))], replicas)
    settings = search_module.SearchSettings(
        method,
        4,
        1,
        4,
        partial_channels=groups,
        alpha_learning_rate=0.1,
        compiled=False,
        **more,
    )
    return search_module.Search(task, settings, replicas)


def test_alpha_starts_as_ever_without_and_small_with_it():
    plain = relaxation.initial_alpha(SPACE, 3)
    assert [a.shape for a in plain] == [(14, 8)] * 2
    generator = np.random.default_rng(3)
    for rows in plain:
        drawn = 1e-3 * generator.standard_normal((14, 8))
        np.testing.assert_array_equal(rows, drawn.astype(np.float32))
    for rows in relaxation.initial_alpha(SPACE, 3, edge_normalisation=True):
        assert rows.shape == (14, 9) and 0 < np.abs(rows[:, 8]).max() < 5e-3


def test_what_the_network_is_given():
    rows = np.random.default_rng(0).normal(size=(14, 9))
    found = relaxation.network_weights(SPACE.cells[0], tf.constant(rows))
    whole = found.numpy()[:, 8]
    for some in (range(2), range(2, 5), range(5, 9), range(9, 14)):
        powers = np.exp(rows[some, 8])
        np.testing.assert_allclose(whole[some], powers / powers.sum())
    p = tf.nn.softmax(rows[:, :8]).numpy()
    np.testing.assert_allclose(found[:, :8], whole[:, None] * p)


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_beta_learns_with_alpha_and_is_resumed_exactly(method):
    loop = search(method)
    before = loop.architecture.values()
    rows = advance(loop, 2)
    for old, new in zip(before, loop.architecture.values(), strict=True):
        assert (np.abs(new - old)[:, -1] > 1e-3).all()  # Adam's steps: 0.1
    assert all("valid/loss" in row for row in rows)
    middle = loop.state()
    rows = advance(loop, 1)
    again = search(method)
    again.restore(middle)
    assert advance(again, 1) == rows and same(again.state(), loop.state())
    with pytest.raises(InputError, match="does not fit"):
        search(method, groups=1).restore(middle)


@pytest.mark.slow
def test_alpha_waits_for_the_end_of_the_warm_up():
    loop, start = search(warmup_epochs=2), search().state()
    rows = advance(loop, 2)
    state = loop.state()
    for name, array in start.items():
        moved = not np.array_equal(array, state[name])
        assert not (moved and name.startswith("alpha"))
        assert moved or not name.startswith(("w/", "task"))
    assert not any("valid/loss" in row for row in rows)
    (row,) = advance(loop, 1)
    assert "valid/loss" in row
    start = search().architecture.values()
    for rows, old in zip(loop.architecture.values(), start, strict=True):
        assert np.abs(rows - old).max() > 1e-3


@pytest.mark.slow
def test_what_an_epoch_leaves_gives_its_genotype_back(tmp_path, monkeypatch):
    # The report reads settings, which this search has not.
    monkeypatch.setattr(report.EpochReports, "on_epoch", lambda self: None)
    loop, workdir = search(temperature_end=0.5), Workdir(tmp_path)
    workdir.genotypes.mkdir()
    with Reporter(workdir.path) as reporter:
        keeper = records.SearchRecords(workdir, reporter)
        for epoch in (1, 2):
            advance(loop, 1)
            keeper.on_epoch(epoch, loop, {})
    history = AlphaHistory(workdir.alpha, SMALL)
    assert history.genotype(2) == loop.genotype()
    mixing = loop.architecture.mixing_weights()
    edges = loop.architecture.edge_weights()
    for name, weights in history.mixing_weights().items():
        np.testing.assert_array_equal(weights[1], mixing[name])
        assert weights.shape == (2, 2, 5)
        assert edges[name].sum() == pytest.approx(1)
    assert search(groups=1).architecture.edge_weights() == {}


def test_what_is_not_defined_with_it_is_refused():
    with pytest.raises(InputError, match="`partial_channels=2`"):
        search(lambda_regularizer="cosine")
    config = SearchConfig(instruments=("gap",), partial_channels=2)
    with pytest.raises(InputError, match="`instruments=gap`"):
        diagnostics.instruments(config, types.SimpleNamespace(space=SMALL), None)
