"""The cosine of alpha's summed gradients, by hand and across restarts."""

from __future__ import annotations

import types

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.diagnostics.gradient_cosine import GradientCosine, cosine
from tests.strategy.small_space import SMALL

SHAPES = [np.shape(rows) for rows in relaxation.initial_alpha(SMALL, 0)]


def watched():
    """Returns (the instrument, the architecture that it watches)."""
    architecture = types.SimpleNamespace(
        space=SMALL, variables=[tf.zeros(shape) for shape in SHAPES], observers=[]
    )
    instrument = GradientCosine(Replicas("one_device"))
    instrument.watch(architecture)
    return instrument, architecture


def show(architecture, *gradients) -> None:
    for gradient in gradients:
        for observer in architecture.observers:
            observer([tf.constant(g, tf.float32) for g in gradient])


def drawn(seed: int):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape) for shape in SHAPES]


def expected(before, present) -> dict[str, float]:
    names = [f"gradient_cosine/{spec.name}" for spec in SMALL.cells]
    sums = [[sum(parts) for parts in zip(*epoch)] for epoch in (before, present)]
    return {n: cosine(a, b) for n, a, b in zip(names, *sums)}


def test_it_is_the_cosine_of_the_sums_of_two_epochs():
    instrument, architecture = watched()
    show(architecture, drawn(0), drawn(1))
    assert instrument(None) == {}
    show(architecture, drawn(2), drawn(3))
    whole = expected([drawn(0), drawn(1)], [drawn(2), drawn(3)])
    assert instrument(None) == pytest.approx(whole, abs=1e-6)
    show(architecture, drawn(2), drawn(3))
    assert list(instrument(None).values()) == pytest.approx([1, 1])


def test_a_resumed_search_measures_the_same():
    first, architecture = watched()
    show(architecture, drawn(0))
    first(None)
    show(architecture, drawn(1))
    state = first.state()
    show(architecture, drawn(2))
    again, architecture = watched()
    again.restore(state)
    show(architecture, drawn(2))
    assert again(None) == first(None)
    for name, array in again.state().items():
        np.testing.assert_array_equal(array, first.state()[name])


def test_a_checkpoint_without_sums_starts_them_and_a_foreign_one_is_refused():
    instrument, architecture = watched()
    show(architecture, drawn(0))
    instrument.restore({})
    assert instrument(None) == {}
    with pytest.raises(InputError, match="does not fit"):
        instrument.restore({"sums/normal": np.zeros(3, np.float32)})


def test_overflow_is_left_out_and_epochs_without_a_step_show_nothing():
    instrument, architecture = watched()
    show(architecture, drawn(0), [np.full(s, np.inf) for s in SHAPES])
    instrument(None)
    assert instrument(None) == {}  # alpha did not move
    show(architecture, drawn(1))
    assert instrument(None) == {}  # nor in the epoch before


def test_cosine_by_hand():
    right = np.array([[1.0, 0.0]])
    assert cosine(right, np.array([[2.0, 0.0]])) == 1
    assert cosine(right, np.array([[-1.0, 1.0]])) == pytest.approx(-(0.5**0.5))
    assert cosine(right, np.zeros((1, 2))) is None
