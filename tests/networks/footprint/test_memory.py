"""The estimate of a step's memory, by hand."""

from __future__ import annotations

import pytest

from darts_tf.descent.precision import PRECISIONS
from darts_tf.networks.footprint.memory import (
    ELEMENT,
    GB,
    IMAGES,
    LAMBDA,
    PROGRAM,
    SMALL_PROGRAM,
    TEXT,
    Memory,
    estimate,
)
from darts_tf.networks.footprint.networks import Footprint
from darts_tf.networks.footprint.operations import Held
from darts_tf.networks.footprint.text import TextFootprint
from darts_tf.strategy.darts.bilevel import METHODS
from darts_tf.strategy.lambda_darts.regularizer import GRADIENTS

SIZES = Footprint(
    cells=(Held(10, 100, 30), Held(20, 50, 5)),
    outside=Held(5, 7),
    inputs=11,
    operations=6,
)
FIRST = IMAGES["first_order"]


def test_of_images():
    found = estimate(SIZES, FIRST, examples=3)
    # All of both cells; 100 + 30 and 150 + 5 elements of cells at once.
    assert found.activations == 4 * 3 * (7 + 155)
    assert found.weights == 4 * FIRST.copies * 35
    assert found.program == PROGRAM + 6 * FIRST.graph
    assert found.total == found.activations + found.weights + found.program
    again = estimate(SIZES, FIRST, 3, recompute=True)
    assert again.activations == 4 * 3 * (7 + 11 + 130)
    half = estimate(SIZES, FIRST, 3, element=2)
    assert half.activations == found.activations / 2


def test_of_text():
    needs = TEXT["exact"]
    found = estimate(TextFootprint(10, 100, 5), needs, examples=2)
    assert found.activations == 4 * 2 * 100 * needs.derivatives
    assert found.weights == 4 * needs.copies * 10
    assert found.program == SMALL_PROGRAM + 5 * needs.graph


def test_what_is_added_adds_weights_and_graphs():
    added, twice = LAMBDA["finite_difference"], LAMBDA["exact"]
    more = estimate(SIZES, FIRST.plus(added), 3)
    plain = estimate(SIZES, FIRST, 3)
    assert more.activations == plain.activations
    assert more.weights == plain.weights + 4 * added.copies * 35
    assert more.program - plain.program == pytest.approx(6 * added.graph)
    more = estimate(SIZES, FIRST.plus(twice), 3)
    assert more.activations == twice.derivatives * plain.activations
    assert FIRST.plus(twice).plus(added).derivatives == twice.derivatives


def test_every_method_and_precision_is_known():
    assert {*METHODS, "training"} == set(TEXT)
    assert {*METHODS, "training", "weights"} == set(IMAGES)
    assert set(ELEMENT) == set(PRECISIONS)
    assert set(LAMBDA) == set(GRADIENTS)


def test_on_a_device_and_on_the_host():
    found = Memory(5.7 * GB, 0.04 * GB, 1.6 * GB)
    assert found.of_device().total == 5.74 * GB
    host = found.of_host(2, 1 * GB)
    assert host.total == pytest.approx((2 * 5.74 + 1.6 + 1) * GB)
