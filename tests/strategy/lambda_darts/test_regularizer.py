"""Lambda-DARTS on a smooth problem whose derivatives are known."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.darts.relaxation import mixing_weights, per_cell
from darts_tf.strategy.lambda_darts import regularizer
from darts_tf.strategy.lambda_darts.regularizer import (
    KINDS,
    LambdaRegularizer,
    aligned_groups,
    ramp,
)
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_space import SMALL

SEED = tf.constant([0, 0])
CELLS = ("normal", "reduce", "normal", "reduce", "normal")
RNG = np.random.default_rng(0)
W = [tf.constant(RNG.standard_normal((6, 10)))]
ALPHA = [tf.constant(RNG.standard_normal((2, 5))) for _ in range(2)]
X = tf.constant(RNG.standard_normal((2, 8, 6)))
BOTH = pytest.mark.parametrize("kind", KINDS)
DERIVED = pytest.mark.parametrize("gradient", regularizer.GRADIENTS)


def cells_loss(w, cells, batch, seed):
    """Five smooth layers [8, 6] -> [8, 6], each with its mixing weights."""
    del seed
    x = X[batch]
    for p in cells:
        hidden = tf.tanh(x @ w[0]) * tf.reshape(p, [-1])
        x = tf.sin(hidden @ tf.transpose(w[0])) + 0.5 * x
    return tf.reduce_mean(x**2), {"logits": x}


def loss(w, alpha, batch, seed):
    cells = per_cell(mixing_weights(alpha), SMALL, CELLS)
    return cells_loss(w, cells, batch, seed)


def build(kind="cosine", cells="normal", function=cells_loss, **more):
    return LambdaRegularizer(function, SMALL, CELLS, kind, cells=cells, **more)


def alignments(kind, w):
    """The alignment of the normal cells, and of the reduction cells."""
    cells = per_cell(mixing_weights(ALPHA), SMALL, CELLS)
    with tf.GradientTape() as tape:
        tape.watch(cells)
        value, _ = cells_loss(w, cells, 0, SEED)
    g = tape.gradient(value, cells)
    return [KINDS[kind]([g[i] for i in group]) for group in ([0, 2, 4], [1, 3])]


def rising(kind, which):
    """d alignment / dw, by nested tapes."""
    with tf.GradientTape() as tape:
        tape.watch(W)
        value = tf.add_n([alignments(kind, W)[i] for i in which])
    return tape.gradient(value, W)[0]


@BOTH
@DERIVED
@pytest.mark.parametrize("cells, which", [("normal", [0]), ("all", [0, 1])])
def test_it_adds_minus_lambda_times_the_derivative_of_alignment(
    kind, cells, which, gradient
):
    (g,), _, _ = bilevel.grad_w(loss, W, ALPHA, 0, SEED)
    regulariser = build(kind, cells, gradient=gradient)
    (total,), value, aux = regulariser(loss, W, ALPHA, 0, SEED, 0.5)
    wanted = -0.5 * rising(kind, which)
    assert np.abs(wanted).max() > 0.01
    bound = 1e-12 if gradient == "exact" else 1e-5
    np.testing.assert_allclose(total - g, wanted, atol=bound)
    assert float(value) == float(loss(W, ALPHA, 0, SEED)[0])
    cosine = float(alignments("cosine", W)[0])
    assert float(aux["alignment"]) == pytest.approx(cosine, rel=1e-12)
    assert abs(cosine) < 0.99 and "logits" in aux
    share = np.linalg.norm(wanted) / np.linalg.norm(g)
    assert float(aux["share"]) == pytest.approx(share, rel=1e-4)


@BOTH
def test_descending_along_it_raises_the_alignment(kind):
    """The regulariser alone; what it raises is not 1 from the start."""
    regulariser = build(kind)
    w, start = W, float(alignments(kind, W)[0])
    for _ in range(15):
        (g,), *_ = regulariser(loss, w, ALPHA, 0, SEED, 0.0)
        (total,), *_ = regulariser(loss, w, ALPHA, 0, SEED, 1.0)
        w = [w[0] - 0.15 * (total - g)]
    assert float(alignments(kind, w)[0]) > start + 0.1


def test_only_the_cells_that_are_aligned_are_perturbed():
    points = per_cell(mixing_weights(ALPHA), SMALL, CELLS)
    for cells, moved in (("normal", {"normal"}), ("all", {*CELLS})):
        regulariser = build(cells=cells, epsilon_0=1e-3)
        _, layers, _, _ = bilevel.grad_w_alpha(cells_loss, W, points, 0, SEED)
        _, u = regulariser.perturbations(layers)
        *ends, _ = bilevel.perturb(points, u, 1e-3)
        assert [
            kind for kind, p, up in zip(CELLS, points, ends[0]) if np.any(p != up)
        ] == [kind for kind in CELLS if kind in moved]
        steps = [(p - n) / 2 for p, n in zip(*ends)]
        assert float(tf.linalg.global_norm(steps)) == pytest.approx(1e-3)


def counting(function):
    calls = []

    def counted(w, cells, batch, seed):
        calls.append(seed)
        return function(w, cells, batch, seed)

    return counted, calls


@DERIVED
def test_strength_zero_spares_passes_and_still_measures(gradient):
    counted, calls = counting(cells_loss)
    regulariser = build(function=counted, gradient=gradient)
    (g,), _, aux = regulariser(loss, W, ALPHA, 0, SEED, 0.0)
    assert len(calls) == 1 and abs(float(aux["alignment"])) > 0
    assert float(aux["share"]) == 0
    (plain,), _, _ = bilevel.grad_w(loss, W, ALPHA, 0, SEED)
    np.testing.assert_allclose(g, plain, rtol=1e-12)
    regulariser(loss, W, ALPHA, 0, SEED, 0.1)
    assert len(calls) == (3 if gradient == "exact" else 4)


@pytest.mark.slow
def test_another_strength_traces_nothing_anew():
    counted, calls = counting(cells_loss)
    regulariser = build(function=counted)
    with Execution(Replicas("one_device")).active():
        for strength in (0.1, 0.2, 0.3):
            regulariser(loss, W, ALPHA, tf.constant(0), SEED, strength)
    assert len(calls) == 2  # the two points share one graph


@BOTH
@DERIVED
def test_layers_without_gradient_give_no_nan(kind, gradient):
    def blind(w, cells, batch, seed):
        value, aux = cells_loss(w, cells[:1] * 2, batch, seed)
        return value, aux

    for function, alive in ((blind, 1), (lambda w, *_: (w[0][0, 0], {}), 0)):
        regulariser = build(kind, function=function, gradient=gradient)
        points = per_cell(mixing_weights(ALPHA), SMALL, CELLS)
        (plain,), layers, *_ = bilevel.grad_w_alpha(function, W, points, 0, SEED)
        assert sum(bool(np.any(g)) for g in layers) == alive
        (g,), _, aux = regulariser(loss, W, ALPHA, 0, SEED, 1.0)
        assert float(aux["alignment"]) == 0
        np.testing.assert_array_equal(g, plain)


@pytest.mark.parametrize("method", bilevel.METHODS)
def test_the_unrolled_step_is_the_regularised_one(method):
    """With every method; w' is what the optimizer then really reaches."""
    seen = []

    def watched(w, alpha, batch, seed):
        seen.append(w[0])
        return loss(w, alpha, batch, seed)

    sgd, rate = SGD(0.9, 0.01, 0.5), tf.constant(0.3, tf.float64)
    slots, regulariser = [tf.ones_like(W[0])], build()

    def descend(*arguments):
        return regulariser(*arguments, strength=0.5)

    unroll = bilevel.Unroll(sgd, slots, rate, descend)
    gradient = ArchitectureGradient(loss, method, valid_loss=watched)
    found, value, _ = gradient(W, ALPHA, 0, 1, SEED, unroll)
    g, _, _ = descend(loss, W, ALPHA, 0, SEED)
    (taken,), _ = sgd.step(W, g, slots, rate)
    (unrolled,) = seen
    if method == "first_order":
        taken = W[0]
    np.testing.assert_array_equal(unrolled, taken)
    assert all(np.isfinite(f).all() and np.any(f) for f in found)
    assert float(value) == float(loss([taken], ALPHA, 1, SEED)[0])


@DERIVED
def test_only_the_exact_derivative_ignores_a_kink_nearby(gradient):
    """The difference counts what lies within its step."""
    (p, *_) = per_cell(mixing_weights(ALPHA), SMALL, CELLS)

    def kinked(w, cells, batch, seed):
        value, aux = cells_loss(w, cells, batch, seed)
        beyond = tf.nn.relu(cells[0] - p - 1e-4)  # 0 at p
        return value + tf.reduce_sum(beyond) * tf.reduce_sum(w[0]), aux

    given = loss, W, ALPHA, 0, SEED, 1.0
    (smooth,), (bent,) = (
        build(gradient=gradient, function=function, epsilon_0=1e-2)(*given)[0]
        for function in (cells_loss, kinked)
    )
    same = np.abs(smooth - bent).max() < 1e-9
    assert same == (gradient == "exact")


def test_lambda_rises_from_zero_in_the_first_epoch_to_its_end_in_the_last():
    assert [ramp(0.5, epoch, 5) for epoch in range(5)] == [0, 0.125, 0.25, 0.375, 0.5]
    assert ramp(0.5, 0, 1) == 0


def test_too_few_cells_are_refused():
    assert aligned_groups(CELLS, ["normal"]) == [[0, 2, 4]]
    with pytest.raises(InputError, match="3 cells has 1 'normal'.*`layers`"):
        aligned_groups(("normal", "reduce", "reduce"), ["normal"])
    with pytest.raises(InputError, match="0 'reduce'"):
        aligned_groups(("normal", "normal"), ["normal", "reduce"])
    with pytest.raises(InputError, match="cosine, sign; received 'corr'"):
        build("corr")


def test_defaults_are_those_that_were_published():
    assert (regularizer.STRENGTH, regularizer.EPSILON) == (0.125, 1e-4)
