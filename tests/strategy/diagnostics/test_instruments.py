"""Instruments on a supernet of the smallest size with two normal cells.

Searches run eagerly here: that saves the time to compile. The eigenvalue's
product is compiled, as it runs many times, and compared with the Hessian
that difference quotients confirm: TensorFlow's second derivatives have been
wrong in graphs only.
"""

from __future__ import annotations

import math
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.compiled.flat_weights import FlatWeights
from darts_tf.networks.conv import Supernet
from darts_tf.space.cell import SearchSpace
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts import search_loop as search_module
from darts_tf.strategy.darts.tasks import ImageTask
from darts_tf.strategy.diagnostics import instruments
from darts_tf.strategy.diagnostics.early_stopping import (
    EarlyStopping,
    EarlyStoppingSettings,
)
from darts_tf.strategy.diagnostics.hessian import hessian_product
from tests.precision import computed_in_float64
from tests.strategy.small_search import batches
from tests.strategy.small_space import SMALLER

SEED = tf.constant([0, 0])


class Eager(Replicas):
    """One device, nothing compiled."""

    def __init__(self):
        super().__init__("one_device")

    def compile(self, function):
        return function


def later(start: int):
    """Other batches."""
    return batches(start + 50)


def build(names=(), rule=None) -> search_module.Search:
    """Builds an eager search with the named instruments."""
    keras.utils.set_random_seed(0)
    net = Supernet(SMALLER, 1, 4, 3)
    start = relaxation.initial_alpha(SMALLER, 0)
    cells = relaxation.per_cell(start, SMALLER, net.kinds)
    net(tf.zeros((1, 8, 8, 1)), cells)
    replicas = Eager()
    task = ImageTask(net, batches, later, lambda: [next(batches(99))], replicas)
    settings = search_module.SearchSettings(
        "first_order", 4, 1, 4, compiled=False, alpha_learning_rate=0.3
    )
    return search_module.Search(
        task,
        settings,
        replicas,
        measuring(names, task, replicas),
        rule and EarlyStopping(rule, SMALLER),
    )


def measuring(names, task, replicas) -> list:
    """Returns the instruments; the eigenvalue's alone is compiled."""
    eager = [name for name in names if name != "eigenvalue"]
    made = instruments.named_instruments(eager, task, replicas)
    if "eigenvalue" in names:
        compiled = Replicas("one_device")
        made += instruments.named_instruments(["eigenvalue"], task, compiled)
    return made


def epoch(search) -> dict[str, float]:
    """Runs an epoch of one step."""
    search.advance()
    return search.end_epoch()


@pytest.fixture(scope="module")
def measured():
    """(a search with all instruments, its records, its states by epoch)."""
    patch = pytest.MonkeyPatch()
    patch.setattr(instruments, "GAP_BATCHES", 3)
    search = build(instruments.KINDS)
    records, states = [], []
    for _ in range(2):
        records.append(epoch(search))
        states.append(search.state())
    yield search, records, states
    patch.undo()


@pytest.mark.slow
def test_instruments_change_nothing(measured):
    search = build()
    for state in measured[2]:
        assert epoch(search).keys() == {"valid/accuracy"}
        for name, array in search.state().items():
            np.testing.assert_array_equal(array, state[name], err_msg=name)


@pytest.mark.slow
def test_a_resumed_search_shows_the_same(measured):
    search, records, states = measured
    search.restore(states[0])
    assert epoch(search) == records[1]
    for name, array in search.state().items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)


@pytest.mark.slow
def test_what_is_shown(measured):
    cosines = {"gradient_cosine/normal", "gradient_cosine/reduce"}
    assert not cosines & measured[1][0].keys()  # there is no epoch before
    assert cosines <= measured[1][1].keys()
    for record in measured[1]:
        assert record.keys() - cosines == {
            "valid/accuracy",
            "entropy/normal",
            "entropy/reduce",
            "skip_connections/normal",
            "skip_connections/reduce",
            "collapsed/normal",
            "alignment/train",
            "alignment/valid",
            "eigenvalue/dominant",
            "eigenvalue/residual",
            "eigenvalue/products",
            "gap/mixed_accuracy",
            "gap/derived_accuracy",
            "gap/accuracy",
        }
        assert all(isinstance(value, (int, float)) for value in record.values())
        assert -1 <= record["alignment/train"] <= 1
        assert record["alignment/train"] != record["alignment/valid"]


def test_entropy_by_hand():
    weights = {"normal": np.full((2, 4), 0.25), "reduce": np.eye(2, 4)}
    alpha = types.SimpleNamespace(mixing_weights=lambda: weights)
    search = types.SimpleNamespace(architecture=alpha)
    scalars = instruments.entropy(search)
    assert scalars["entropy/normal"] == pytest.approx(math.log(4))
    assert scalars["entropy/reduce"] == 0


@pytest.mark.slow
def test_alignment_is_the_cosine_of_the_two_normal_cells(measured):
    search = measured[0]
    model = search.task.model
    assert model.kinds == ("normal", "reduce", "reduce", "normal")
    w, alpha = search.values()
    loss = search.task.cells_loss
    scalars = instruments.Alignment(search.task, Eager())(search)
    for name, batch in zip(("train", "valid"), (batches(0), later(0))):
        cells = relaxation.per_cell(
            relaxation.mixing_weights(alpha), SMALLER, model.kinds
        )
        with tf.GradientTape() as tape:
            tape.watch(cells)
            value, _ = loss(w, cells, next(batch), SEED)
        first, *_, last = map(np.ravel, tape.gradient(value, cells))
        cosine = first @ last / np.sqrt(first @ first * (last @ last))
        assert scalars[f"alignment/{name}"] == pytest.approx(cosine, abs=1e-5)


def whole_hessian(product, size: int) -> np.ndarray:
    """[size, size], column by column."""
    return np.stack([product(column) for column in np.eye(size)], 1)


@pytest.mark.slow
def test_eigenvalue_is_the_dominant_one_of_the_whole_hessian(measured):
    """The Hessian is assembled from products in float64.

    And a product is the difference quotient of alpha's gradient.
    """
    search, records, states = measured
    search.restore(states[1])
    hessian = double_precision_hessian(search)
    spectrum = np.linalg.eigvalsh(hessian)
    dominant = spectrum[np.abs(spectrum).argmax()]
    scalars = records[1]
    assert scalars["eigenvalue/dominant"] == pytest.approx(dominant, rel=1e-2)
    nearest = np.abs(spectrum / scalars["eigenvalue/dominant"] - 1).min()
    assert nearest <= scalars["eigenvalue/residual"] + 1e-3


def double_precision_hessian(search) -> np.ndarray:
    """Computes the Hessian of L_val in alpha on the fixed batch, in float64."""
    with computed_in_float64():
        net = Supernet(SMALLER, 1, 4, 3)
        w, alpha = search.values()
        w, alpha = ([tf.cast(t, tf.float64) for t in x] for x in (w, alpha))
        images, labels = next(later(0))
        batch = tf.cast(images, tf.float64), labels
        cells = relaxation.per_cell(alpha, SMALLER, net.kinds)
        net(batch[0], cells)
        loss = FlatWeights(net).loss(relaxation.supernet_loss(net))
        shapes = [tuple(rows.shape) for rows in alpha]

        @tf.function
        def multiplied(parts):
            return hessian_product(loss, w, alpha, batch, SEED, parts)

        def product(v):
            return flat(multiplied(split(v, shapes)))

        def gradient(v):
            moved = [a + p for a, p in zip(alpha, split(v, shapes))]
            return flat(bilevel.grad_alpha(loss, w, moved, batch, SEED)[0])

        hessian = whole_hessian(product, 12)
        np.testing.assert_allclose(hessian, hessian.T, atol=1e-10)
        v = np.random.default_rng(1).standard_normal(12)
        quotient = (gradient(1e-6 * v) - gradient(-1e-6 * v)) / 2e-6
        size = np.abs(hessian @ v).max()
        np.testing.assert_allclose(hessian @ v, quotient, atol=1e-5 * size)
        return hessian


def split(v, shapes) -> list:
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = zip(np.split(v, ends), shapes)
    return [tf.constant(part.reshape(shape)) for part, shape in parts]


def flat(parts) -> np.ndarray:
    return np.concatenate([np.ravel(part) for part in parts])


@pytest.mark.slow
def test_gap_of_discrete_alpha_is_zero_and_its_accuracy_the_networks(measured):
    """Each node of SMALLER keeps both its edges: nothing is lost."""
    search, _, states = measured
    sharp = dict(states[1])
    for name in ("alpha/00000", "alpha/00001"):
        sharp[name] = (100 * np.eye(2, 3, 1)).astype(np.float32)
    search.restore(sharp)
    scalars = instruments.Gap(search.task, Eager())(search)
    assert scalars["gap/accuracy"] == 0
    w, alpha = search.values()
    loss = search.task.valid_loss
    hits = []
    for _, batch in zip(range(instruments.GAP_BATCHES), later(0)):
        logits = loss(w, alpha, batch, SEED)[1]["logits"]
        hits.append(np.argmax(logits, -1) == batch[1].numpy())
    assert scalars["gap/mixed_accuracy"] == pytest.approx(np.mean(hits))
    search.restore(states[1])


@pytest.mark.slow
def test_gap_of_mixed_alpha_is_that_of_both_accuracies(measured):
    for record in measured[1]:
        assert record["gap/accuracy"] == (
            record["gap/mixed_accuracy"] - record["gap/derived_accuracy"]
        )
    assert any(record["gap/accuracy"] != 0 for record in measured[1])


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["eigenvalue", "skip_connections"])
def test_a_search_that_is_stopped_early(rule):
    """Its steps end there; what it returns is the rule's, also restored."""
    settings = EarlyStoppingSettings(rule, window=1, ratio=1.0, skips=0, first=2)
    record = {"eigenvalue/dominant": 1.0}
    search = build(rule=settings)
    search._instruments = [lambda _: dict(record)]
    genotypes = []
    while search.step < search.total_steps:
        record["eigenvalue/dominant"] *= 2
        epoch(search)
        genotypes.append(search.genotype())
    taken, epochs = {"eigenvalue": (2, 3), "skip_connections": (2, 2)}[rule]
    assert (search.stop.taken, search.stop.epoch) == (taken, epochs)
    assert search.step == search.total_steps == epochs
    assert search.final_genotype() == genotypes[taken - 1]
    other = build(rule=settings)
    assert other.total_steps == 4
    other.restore(search.state())
    assert (
        other.total_steps == other.step
        and other.final_genotype() == search.final_genotype()
    )


@pytest.mark.slow
def test_a_search_without_rule_returns_its_present_cells(measured):
    search = measured[0]
    assert search.stop is None and search.total_steps == 4
    assert search.final_genotype() == search.genotype()


def test_normal_layers():
    kinds = ("normal", "normal", "reduce", "normal")
    assert instruments.normal_layers(SMALLER, kinds) == [0, 1, 3]
    with pytest.raises(InputError, match="`layers`"):
        instruments.normal_layers(SMALLER, ("normal", "reduce", "reduce"))
    alone = SearchSpace("alone", SMALLER.cells[:1], SMALLER.operations)
    assert instruments.normal_layers(alone, ("normal",) * 3) == [0, 1, 2]


@pytest.mark.parametrize("name", instruments.ON_IMAGES_ONLY)
def test_what_text_does_not_have_is_refused(name):
    task = types.SimpleNamespace(units="sequences", space=SMALLER)
    with pytest.raises(InputError, match=f"`instruments={name}`"):
        instruments.named_instruments([name], task, Eager())
