"""The recurrent cells against numpy, written out from the paper."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.recurrent import (
    ACTIVATIONS,
    DerivedCell,
    MixedCell,
    normalise,
)
from darts_tf.space.published import RECURRENT
from darts_tf.space.recurrent import CANDIDATES, SPACE

T, B, H = 3, 4, 5
RNG = np.random.default_rng(0)
X = RNG.standard_normal((T, B, H)).astype(np.float32)
H0 = RNG.standard_normal((B, H)).astype(np.float32)
SPEC = SPACE.cells[0]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


NUMPY = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": sigmoid,
    "identity": lambda z: z,
}


def norm(s):
    return (s - s.mean(0)) / np.sqrt(s.var(0) + 1e-5)


def highway(s, mapped, f):
    c, z = np.split(mapped, 2, -1)
    return s + sigmoid(c) * (f(z) - s)


def derived_by_hand(cell, edges, concat, x_mask=1.0, h_mask=1.0):
    first, *maps = (v.numpy() for v in cell.trainable_variables)
    h, outputs = H0, []
    for x in X:
        both = np.concatenate([x * x_mask, h * h_mask], -1)
        states = [highway(h, both @ first, np.tanh)]
        for (name, source), w in zip(edges, maps):
            s = states[source]
            states.append(highway(s, (s * h_mask) @ w, NUMPY[name]))
        h = np.mean([states[i] for i in concat], 0)
        outputs.append(h)
    return np.array(outputs)


@pytest.mark.parametrize("name", RECURRENT)
def test_derived_cell(name):
    genotype = RECURRENT[name].cells["recurrent"]
    cell = DerivedCell(genotype, H)
    outputs, last = cell(X, H0)
    by_hand = derived_by_hand(cell, genotype.edges, genotype.concat)
    np.testing.assert_allclose(outputs, by_hand, atol=1e-5)
    np.testing.assert_array_equal(last, outputs[-1])


def test_masks_are_one_for_all_times():
    genotype = RECURRENT["DARTS_V2"].cells["recurrent"]
    cell = DerivedCell(genotype, H)
    masks = [RNG.integers(0, 2, (B, H)).astype(np.float32) for _ in "xh"]
    outputs, _ = cell(X, H0, x_mask=masks[0], h_mask=masks[1])
    by_hand = derived_by_hand(cell, genotype.edges, genotype.concat, *masks)
    np.testing.assert_allclose(outputs, by_hand, atol=1e-5)


def test_mixed_cell():
    cell = MixedCell(SPACE, H)
    p = RNG.dirichlet(np.ones(5), 36).astype(np.float32)
    outputs, _ = cell(X, H0, weights=p)
    first, *maps = (v.numpy() for v in cell.trainable_variables)
    h = H0
    for t, x in enumerate(X):
        both = np.concatenate([x, h], -1)
        states = [norm(highway(h, both @ first, np.tanh))]
        row = 0
        for w in maps:
            total = 0
            for s in states:
                for k, name in enumerate(CANDIDATES[1:], 1):
                    f = NUMPY[name]
                    total = total + p[row, k] * highway(s, s @ w, f)
                row += 1
            states.append(norm(total))
        h = np.mean(states[1:], 0)
        np.testing.assert_allclose(outputs[t], h, atol=1e-4)


def test_every_candidate_but_zero_has_a_function():
    assert set(ACTIVATIONS) == set(CANDIDATES) - {"none"} == set(NUMPY)


def test_second_derivatives_of_batch_norm():
    """tf.nn.moments would stop a gradient that they need."""
    s = tf.constant(RNG.standard_normal((4, 2)))
    direction = tf.constant(RNG.standard_normal((4, 2)))

    def slope(s):
        with tf.GradientTape() as tape:
            tape.watch(s)
            value = tf.reduce_sum(normalise(s) ** 3)
        return tf.reduce_sum(tape.gradient(value, s) * direction)

    with tf.GradientTape() as tape:
        tape.watch(s)
        value = slope(s)
    exact = tf.reduce_sum(tape.gradient(value, s) * direction)
    h = 1e-5
    brute = (slope(s + h * direction) - slope(s - h * direction)) / (2 * h)
    assert abs(float(exact)) > 0.1
    np.testing.assert_allclose(exact, brute, rtol=1e-6)
