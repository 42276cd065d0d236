"""Slices of a batch in turn: the same gradients, as N replicas compute."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.darts.micro_batches import check, in_turn
from darts_tf.strategy.lambda_darts import regularizer
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_space import SMALL

SEED = tf.constant([3, 4])
RNG = np.random.default_rng(0)
TRAIN, VALID = (
    tuple(tf.constant(RNG.standard_normal((12, n))) for n in (5, 1)) for _ in range(2)
)
W = [tf.constant(RNG.standard_normal(s)) for s in ((5, 4), (4, 1))]
KINDS = ("normal", "reduce", "normal")
ALPHA = [tf.constant(RNG.standard_normal((2, 5))) for _ in range(2)]


def of_cells(w, cells, batch, seed):
    """A smooth network without batch norm, whose layers differ."""
    del seed
    x, y = batch
    hidden = x @ w[0]
    for cell in cells:
        hidden = tf.tanh(hidden) * tf.reshape(cell, [-1])[:4]
    out = hidden @ w[1]
    aux = {"logits": out, "statistics": tf.reduce_mean(x, 0)}
    return tf.reduce_mean((out - y) ** 2), aux


def loss(w, alpha, batch, seed):
    softmax = relaxation.mixing_weights(alpha)
    cells = relaxation.per_cell(softmax, SMALL, KINDS)
    return of_cells(w, cells, batch, seed)


def regularized(gradient):
    return regularizer.LambdaRegularizer(
        of_cells, SMALL, KINDS, "cosine", gradient, 0.01
    )


def close(found, wanted, bound=1e-12):
    pairs = zip(tf.nest.flatten(found), tf.nest.flatten(wanted), strict=True)
    for one, other in pairs:
        scale = np.abs(other).max()
        assert scale > 0
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * scale)


@pytest.mark.slow
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_without_batch_norm_it_is_the_whole_batchs_gradient(method):
    """Loss and aux too; with momentum, decay, clipping, and Lambda."""
    sgd = SGD(0.9, 0.01, clip_norm=0.1)
    slots, rate = [tf.ones_like(t) for t in W], tf.constant(0.3, tf.float64)
    derived = dict(zip(bilevel.METHODS, ("exact", *regularizer.GRADIENTS)))
    results = []
    for count in (1, 3):
        execution = Execution(Replicas("one_device"), count)
        gradient = ArchitectureGradient(loss, method, execution)
        regulariser = regularized(derived[method])

        def descend(*given, regulariser=regulariser):
            return regulariser(*given, strength=0.5)

        unroll = bilevel.Unroll(sgd, slots, rate, descend)
        given = (W, ALPHA, TRAIN, VALID, SEED, unroll)
        results.append((gradient(*given), gradient.grad_w(W, ALPHA, TRAIN, SEED)))
        if method == "first_order":
            with execution.active():
                results[-1] += (descend(loss, W, ALPHA, TRAIN, SEED),)
    close(results[1], results[0], 1e-7 if "finite" in method else 1e-11)


def seeded(w, alpha, batch, seed):
    """Not linear in the batch's mean, and random: what a slice sees counts."""
    x, _ = batch
    noise = tf.random.stateless_normal([4], seed, dtype=tf.float64)
    x = x - tf.reduce_mean(x, 0)
    out = tf.tanh(x @ w[0] + noise) @ w[1]
    out *= tf.reduce_sum(alpha[0]) + tf.reduce_sum(alpha[1])
    value = tf.math.log(tf.reduce_mean(out**2))
    return value, {"logits": out, "statistics": tf.reduce_mean(x**2, 0)}


def by_hand(function, w, alpha, batch, count):
    """(grad_w, grad_alpha, loss, statistics, logits), slice by slice."""
    fold_in = tf.random.experimental.stateless_fold_in
    found = []
    for number, part in enumerate(zip(*(np.split(x, count) for x in batch))):
        own = fold_in(SEED, number)
        found.append(bilevel.grad_w_alpha(function, w, alpha, part, own))
    logits = np.concatenate([aux["logits"] for *_, aux in found])
    flat = [
        [*by_w, *by_alpha, value, aux["statistics"]]
        for by_w, by_alpha, value, aux in found
    ]
    return [*(sum(parts) / count for parts in zip(*flat)), logits]


def one_by_one(function, w, alpha, batch, count):
    piece = functools.partial(bilevel.grad_w_alpha, function)
    by_w, by_alpha, value, aux = in_turn(piece, count)(w, alpha, batch, SEED)
    return [*by_w, *by_alpha, value, aux["statistics"], aux["logits"]]


@pytest.mark.parametrize("count", [2, 4])
def test_it_is_the_mean_over_slices_each_with_a_seed_of_its_own(count):
    given = (seeded, W, ALPHA, TRAIN, count)
    close(one_by_one(*given), by_hand(*given))


@pytest.mark.slow
def test_supernets_batch_norms_see_their_slice():
    """Statistics are the mean of the slices', as with two replicas."""
    from darts_tf.networks.conv import Supernet

    tf.keras.utils.set_random_seed(0)
    net = Supernet(SMALL, 1, 3, 3)
    alpha = [tf.cast(a, tf.float32) for a in ALPHA]
    net(tf.zeros((1, 8, 8, 1)), relaxation.per_cell(alpha, SMALL, net.kinds))
    w = [tf.identity(v.value) for v in net.trainable_variables]
    images = tf.constant(RNG.standard_normal((4, 8, 8, 1)), tf.float32)
    given = (relaxation.supernet_loss(net), w, alpha)
    batch = images, tf.constant([0, 1, 2, 1])
    found = one_by_one(*given, batch, 2)
    wanted = by_hand(*given, batch, 2)
    whole = by_hand(*given, batch, 1)
    differ = 0
    for one, other, third in zip(found, wanted, whole, strict=True):
        # Of one channel before a batch norm the gradient is rounding.
        scale = max(np.abs(other).max(), 1e-4)
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-3 * scale)
        differ += np.abs(one - third).max() > 1e-2 * scale
    assert differ > len(found) / 2


def test_it_is_traced_once_for_all_slices_and_averaged_once():
    seen, averaged = [], []

    def watched(w, alpha, batch, seed):
        seen.append(batch[0].shape)
        return bilevel.grad_alpha(loss, w, alpha, batch, seed)

    def mean(values):
        averaged.append(len(values))
        return [2 * value for value in values]

    piece = in_turn(watched, 6, tf.function, mean)
    for _ in range(2):
        g, value, aux = piece(W, ALPHA, TRAIN, SEED)
    assert seen == [[2, 5]] and averaged == [len(ALPHA) + 1]
    wanted, whole, whole_aux = bilevel.grad_alpha(loss, W, ALPHA, TRAIN, SEED)
    close([*g, value], [2 * x for x in (*wanted, whole)])
    close(aux, whole_aux)  # not averaged over replicas


def test_sizes_that_are_not_known_when_traced():
    """As windows of text, whose length changes."""

    def mean(w, alpha, batch, seed):
        value = tf.reduce_mean(w[0] * batch[0] ** 2)
        return [value], {"hidden": batch[0][:, :2]}

    def compile(function):
        return tf.function(function, reduce_retracing=True)

    w, piece = [tf.constant(2.0, tf.float64)], in_turn(mean, 3, compile)
    for x in (TRAIN[0], TRAIN[0][:6, :3], TRAIN[0][:9, :4]):
        (value,), aux = piece(w, [], (x,), SEED)
        assert float(value) == pytest.approx(2 * float(tf.reduce_mean(x**2)))
        np.testing.assert_array_equal(aux["hidden"], x[:, :2])


def test_a_batch_that_does_not_divide_is_refused():
    piece = functools.partial(bilevel.grad_w, loss)
    with pytest.raises(InputError, match="12 .*into 5 equal.*multiple of 5"):
        in_turn(piece, 5, lambda f: f)(W, ALPHA, TRAIN, SEED)
    check(12, 3, 2)
    with pytest.raises(InputError, match="each of 2 replicas.*multiple of 8"):
        check(12, 4, 2)
