"""Scaled losses and guarded steps, against float32 and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD, Adam
from darts_tf.descent.precision import PRECISIONS, precision_by_name
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.darts.execution import Execution
from tests.strategy.architecture_gradient import ArchitectureGradient

RNG = np.random.default_rng(0)
W = [tf.constant(RNG.standard_normal((6, 3)), tf.float32)]
ALPHA = [tf.constant(RNG.standard_normal(3), tf.float32)]
BATCH = (tf.constant(RNG.standard_normal((4, 6)), tf.float32), tf.range(4))
HALF = PRECISIONS["mixed_float16"]
FAINT = 1e-8
"""Smaller than float16's smallest number, 6e-8."""


def loss(w, alpha, batch, seed):
    """Quadratic in w, computed in the batch's type; its gradients are faint."""
    x, _ = batch
    h = tf.linalg.matmul(x, tf.cast(w[0], x.dtype))
    h = h * h * tf.cast(tf.exp(alpha[0]), x.dtype)
    return FAINT * tf.reduce_sum(tf.cast(h, tf.float32)), {"x": x}


def error(found, wanted) -> float:
    (found,), (wanted,) = found, wanted
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


def test_only_images_are_narrowed():
    narrow = HALF.narrowed(BATCH)
    assert [x.dtype for x in narrow] == [tf.float16, tf.int32]
    assert PRECISIONS["float32"].narrowed(BATCH) is BATCH
    assert PRECISIONS["float32"].of(loss) is loss


def test_an_unknown_precision_is_refused():
    with pytest.raises(InputError, match="mixed_bfloat16.*'float8'"):
        precision_by_name("float8")


class Eager(Replicas):
    """Nothing is compiled, so that each pass is seen."""

    def compile(self, function):
        return function


def scaled(derivative, *values):
    """Computes a derivative as a search in float16 does, with a scaled loss."""
    execution = Execution(Eager("one_device"), precision="mixed_float16")
    with execution.active():
        return derivative(loss, W, ALPHA, BATCH, tf.constant([0, 0]), *values)


@pytest.mark.parametrize("gradient", [bilevel.grad_w, bilevel.grad_alpha])
def test_the_scale_saves_faint_gradients(gradient):
    wanted, value, _ = gradient(loss, W, ALPHA, BATCH, None)
    found, same, aux = scaled(gradient)
    assert aux["x"].dtype == tf.float16 and found[0].dtype == tf.float32
    assert error(found, wanted) < 5e-3
    assert float(same) == pytest.approx(float(value), rel=2e-3)
    lost, _, _ = gradient(HALF.of(loss), W, ALPHA, BATCH, None)
    assert error(lost, wanted) > 0.5  # what the scale is for


PRODUCTS = bilevel.reverse_over_reverse, bilevel.forward_over_reverse


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("length", [1e-9, 1e6])
def test_the_mixed_product_takes_a_vector_of_any_length(length, product):
    u = [length * tf.cos(W[0])]
    wanted = bilevel.reverse_over_reverse(loss, W, ALPHA, BATCH, None, u)
    assert error(scaled(product, u), wanted) < 5e-3


@pytest.mark.parametrize("product", PRODUCTS)
def test_of_a_zero_vector_the_mixed_product_is_zero(product):
    (found,) = scaled(product, [tf.zeros_like(W[0])])
    np.testing.assert_array_equal(found, np.zeros(3))


@pytest.mark.parametrize("name", PRECISIONS)
@pytest.mark.parametrize("method", bilevel.METHODS)
def test_the_passes_of_eq_8_are_float32(method, name):
    """All others are in the precision; the methods agree with float32."""
    seen = []

    def watched(w, alpha, batch, seed):
        seen.append(batch[0].dtype)
        return loss(w, alpha, batch, seed)

    def gradient(precision):
        execution = Execution(Eager("one_device"), precision=precision)
        compute = ArchitectureGradient(watched, method, execution)
        unroll = bilevel.Unroll(SGD(), [], tf.constant(1e3))
        return compute(W, ALPHA, BATCH, BATCH, tf.constant([0, 0]), unroll)[0]

    wanted = gradient("float32")
    assert set(seen) == {tf.float32}
    seen.clear()
    low = PRECISIONS[name].dtype or tf.float32
    assert error(gradient(name), wanted) < 2e-2
    passes = {"first_order": 1, "finite_difference": 2, "exact": 3}[method]
    last = [tf.float32] * 2 if method == "finite_difference" else []
    assert seen == [low] * passes + last


BAD = [tf.constant([np.inf, 1.0]), tf.constant([2.0])]
GOOD = [tf.constant([3.0, 1.0]), tf.constant([2.0])]


@pytest.mark.parametrize(
    "make, more",
    [
        (lambda guarded: SGD(0.9, 0.1, 5.0, guarded=guarded), (0.1,)),
        (lambda guarded: Adam(0.1, weight_decay=0.1, guarded=guarded), ()),
    ],
)
def test_a_step_that_overflowed_is_not_taken(make, more):
    w, guarded = [2 * g for g in GOOD], make(True)
    slots = [tf.ones_like(s) for s in guarded.slots(w)]

    def same(found, wanted):
        pairs = zip(tf.nest.flatten(found), tf.nest.flatten(wanted))
        return all(np.array_equal(a, b) for a, b in pairs)

    assert same(guarded.step(w, BAD, slots, *more), (w, slots))
    assert float(guarded.skipped(BAD)) == 1
    plain = make(False).step(w, GOOD, slots, *more)
    assert same(guarded.step(w, GOOD, slots, *more), plain)
    assert float(guarded.skipped(GOOD)) == 0


def test_what_is_not_taken_is_not_unrolled():
    sgd, w = SGD(0.9, 0.1, 5.0, guarded=True), [2 * g for g in GOOD]
    slots = sgd.slots(w)
    for u in sgd.pull_back(w, BAD, slots, 0.1, GOOD):
        np.testing.assert_array_equal(u, np.zeros_like(u))
    plain = SGD(0.9, 0.1, 5.0).pull_back(w, GOOD, slots, 0.1, GOOD)
    for u, wanted in zip(sgd.pull_back(w, GOOD, slots, 0.1, GOOD), plain):
        np.testing.assert_array_equal(u, wanted)
