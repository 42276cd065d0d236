"""A recurrent search of the smallest size, through the search loop."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.language import Dropouts, LanguageModel
from darts_tf.networks.recurrent import MixedCell
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.recurrent import CANDIDATES, SPACE
from darts_tf.strategy.darts import bilevel, search_loop
from darts_tf.strategy.darts.text_task import TextTask, search_loss
from darts_tf.strategy.diagnostics import instruments
from darts_tf.strategy.diagnostics.hessian import hessian_product
from tests.strategy.architecture_gradient import ArchitectureGradient

B, T, H, V = 4, 3, 3, 7
SMALL = SearchSpace(
    SPACE.name,
    (CellSpec("recurrent", 1, 2, (CANDIDATES,) * 3, 1, (1, 2)),),
    SPACE.operations,
    SPACE.identity,
)
SEED, OTHER = tf.constant([0, 1]), tf.constant([0, 2])


def windows(step, count=None):
    for number in range(step, step + (count or 1000)):
        rng = np.random.default_rng(number)
        words = tf.constant(rng.integers(0, V, (B, T + 1)), tf.int32)
        length = T if number % 3 else 2
        fresh = tf.fill([B], number % 5 == 0)
        yield words[:, :length], words[:, 1 : length + 1], fresh


def build(space=SMALL, dropouts=Dropouts()) -> LanguageModel:
    model = LanguageModel(MixedCell(space, H), V, dropouts)
    weights = tf.ones(space.cells[0].alpha_shape)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, H)), weights=weights)
    return model


@pytest.fixture(scope="module")
def loop():
    keras.utils.set_random_seed(0)
    replicas = Replicas("one_device")
    task = TextTask(
        build(dropouts=Dropouts(0.1, 0.1, 0.1, 0.1, 0.1)),
        windows,
        windows,
        lambda: windows(500, 3),
        batch_size=B,
        measured_batch=B,
        bptt=T,
        slowness=0.1,
        replicas=replicas,
    )
    settings = search_loop.SearchSettings(
        "finite_difference",
        3,
        4,
        B,
        learning_rate=1.0,
        learning_rate_min=1.0,
        momentum=0.0,
        clip_norm=0.25,
    )
    return search_loop.Search(task, settings, replicas)


@pytest.mark.slow
def test_resumed_search_equals_an_undisturbed_one(loop):
    loop.advance()
    state = loop.state()
    first = [float(loop.advance()["train/loss"]) for _ in range(3)]
    after = loop.state()
    loop.restore(state)
    assert first == [float(loop.advance()["train/loss"]) for _ in range(3)]
    for name, array in loop.state().items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)


def test_a_step_moves_both_states_alpha_and_w(loop):
    before = loop.state()
    record = loop.advance()
    after = loop.state()
    for start in ("w/", "alpha/", "task/hidden/train", "task/hidden/valid"):
        names = [n for n in before if n.startswith(start)]
        assert any((before[n] != after[n]).any() for n in names), start
    assert record["learning_rate"] in (1.0, pytest.approx(2 / 3))
    assert loop.end_epoch()["valid/perplexity"] > 1


def test_training_and_validation_go_on_with_their_own_state(loop):
    task = loop.task
    task.keep({"hidden": tf.fill([B, H], 1.0)}, {"hidden": tf.fill([B, H], 2.0)})
    for batch, expected in zip(task.batches(loop.step), (1.0, 2.0)):
        np.testing.assert_array_equal(batch[-1], np.full([B, H], expected))
    task.keep({"hidden": tf.fill([B, H], 3.0)}, None)  # a warm-up's step
    for batch, expected in zip(task.batches(loop.step), (3.0, 2.0)):
        np.testing.assert_array_equal(batch[-1], np.full([B, H], expected))


def test_a_state_of_another_size_is_refused(loop):
    state = loop.state()
    state["task/hidden/train"] = np.zeros((B + 1, H), np.float32)
    with pytest.raises(InputError, match="hidden/train"):
        loop.restore(state)


@pytest.mark.slow
def test_eq_8_needs_the_same_masks():
    """With other masks at w+ and w- the difference is their noise."""
    keras.utils.set_random_seed(0)
    model = build(dropouts=Dropouts(x=0.5, hidden=0.5, output=0.5))
    loss = search_loss(model)
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    alpha = [tf.constant(np.random.default_rng(0).normal(size=(3, 5)), tf.float32)]
    train, valid = ((*b, tf.zeros([B, H])) for b in windows(1, 2))
    unroll = bilevel.Unroll(SGD(clip_norm=0.25), [], tf.constant(5.0))

    def gradient(loss, method="finite_difference"):
        piece = ArchitectureGradient(loss, method)
        return piece(w, alpha, train, valid, SEED, unroll)[0][0].numpy()

    calls = []

    def noisy(w, alpha, batch, seed):
        calls.append(1)
        return loss(w, alpha, batch, seed + len(calls))

    again, noise = gradient(loss), gradient(noisy)
    np.testing.assert_array_equal(again, gradient(loss))
    exact = gradient(loss, "exact")
    near = np.abs(again - exact).max()
    far = np.abs(noise - exact).max()
    assert far > 5 * near, (near, far)


@pytest.mark.slow
def test_eigenvalue_in_alpha_through_the_loop_over_time(loop):
    """Compiled, against the whole Hessian; one product against eager."""
    eigenvalue = instruments.Eigenvalue(loop.task, Replicas("one_device"))
    found = eigenvalue(loop)["eigenvalue/dominant"]
    w, alpha = loop.values()
    _, batch = loop.task.fixed_batches()
    seed = tf.constant([0, 0])
    columns = [[tf.reshape(tf.one_hot(n, 15), [3, 5])] for n in range(15)]
    with loop.execution.active():
        rows = [
            hessian_product(loop.task.valid_loss, w, alpha, batch, seed, v)[0]
            for v in columns
        ]
    rows = [row.numpy().ravel() for row in rows]
    hessian, size = np.stack(rows), np.abs(rows).max()
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-4 * size)
    spectrum = np.linalg.eigvalsh(hessian)
    dominant = spectrum[np.abs(spectrum).argmax()]
    assert found == pytest.approx(dominant, rel=1e-2)
    (eager,) = hessian_product(loop.task.valid_loss, w, alpha, batch, seed, columns[6])
    np.testing.assert_allclose(np.ravel(eager), rows[6], atol=1e-4 * size)
