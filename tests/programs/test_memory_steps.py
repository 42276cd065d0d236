"""The memory of a step: its growth with sizes, and the ways to save."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from darts_tf.networks.footprint.memory import (
    IMAGES,
    LAMBDA,
    NARROW,
    RECOMPUTED,
    SLOPES,
)
from darts_tf.programs.memory_steps import (
    GIVEN_WEIGHTS,
    ImageSearch,
    ImageTraining,
    TextSearch,
    TextTraining,
    step_of,
)
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT

IMAGE = ImageSearch("darts_conv", "first_order", 16, 8, 64)
TEXT = TextSearch("first_order", 128, 2000, 35, 64)
STEPS = [
    IMAGE,
    dataclasses.replace(IMAGE, method=GIVEN_WEIGHTS),
    TEXT,
    ImageTraining(CONVOLUTIONAL["DARTS_V2"], 36, 20, 64),
    TextTraining(RECURRENT["DARTS_V2"], 128, 2000, 35, 64),
]


def changed(step, **more):
    return dataclasses.replace(step, **more).memory()


@pytest.mark.parametrize("step", STEPS)
def test_it_grows_linearly_with_the_batch_alone(step):
    sizes = [changed(step, batch_size=n) for n in (0, 16, 32, 64)]
    empty, *others = [found.total for found in sizes]
    more = np.subtract(others, empty)
    np.testing.assert_allclose(more, more[0] * np.array([1, 2, 4]))
    assert more[0] > 1e7
    assert {(m.weights, m.program) for m in sizes} == {
        (sizes[0].weights, sizes[0].program)
    }


@pytest.mark.parametrize("step", [IMAGE, TEXT])
def test_micro_batches_are_smaller_batches(step):
    assert changed(step, micro_batches=4) == changed(step, batch_size=16)


@pytest.mark.parametrize("method", ["first_order", "finite_difference"])
def test_recomputing_adds_graphs(method):
    plain, again = (changed(IMAGE, method=method, recompute=r) for r in (False, True))
    assert again.activations < plain.activations / 2
    # 8 cells of 14 edges with 8 candidates, of which one is zero.
    added = RECOMPUTED[method].graph
    assert (again.program - plain.program) / added in (8 * 14 * 8, 8 * 14 * 7)


def test_what_saves_is_named_and_saves():
    savings = IMAGE.savings()
    assert set(savings) == {"--recompute", "--micro_batches=4", "--partial_channels=4"}
    whole = IMAGE.memory().activations
    assert all(m.activations < 0.45 * whole for m in savings.values())
    odd = dataclasses.replace(IMAGE, batch_size=30, channels=6, recompute=True)
    assert odd.savings() == {}
    (sliced,) = TEXT.savings().items()
    assert sliced == ("--micro_batches=4", changed(TEXT, micro_batches=4))
    assert dataclasses.replace(TEXT, batch_size=2).savings() == {}


@pytest.mark.parametrize(
    "more",
    [
        {"method": GIVEN_WEIGHTS},
        {"lambda_regularizer": "cosine"},
        {"partial_channels": 4},
    ],
)
def test_partial_channels_are_named_only_where_they_may_be(more):
    step = dataclasses.replace(IMAGE, **more)
    assert "--partial_channels=4" not in step.savings()


@pytest.mark.parametrize("step", STEPS[3:])
def test_a_training_is_told_with_half_of_its_batch(step):
    two = dataclasses.replace(step, batch_size=48, devices=2)
    assert two.savings() == {"--batch_size=48": changed(two, batch_size=24)}
    assert dataclasses.replace(step, batch_size=1).savings() == {}


def test_lambda_darts_takes_more_graphs_and_gradients():
    plain, found = IMAGE.memory(), changed(IMAGE, lambda_regularizer="sign")
    copies = IMAGES["first_order"].copies
    more = LAMBDA["finite_difference"].copies
    assert found.weights / plain.weights == (copies + more) / copies
    assert found.program > plain.program
    assert found.activations == plain.activations
    twice = {"lambda_regularizer": "sign", "lambda_gradient": "exact"}
    assert changed(IMAGE, **twice).total > 1.5 * found.total
    # Nothing is regularised: how does not count.
    assert changed(IMAGE, lambda_gradient="exact") == plain


def test_the_exact_method_takes_less_where_it_goes_by_slopes():
    assert dataclasses.replace(IMAGE, method="exact")._needs() == SLOPES
    regularised = {"lambda_regularizer": "sign", "lambda_gradient": "exact"}
    for more in ({"recompute": True}, regularised, {"space": "nasbench201"}):
        needs = dataclasses.replace(IMAGE, method="exact", **more)
        assert needs._needs().graph > 3 * SLOPES.graph


def test_precision_narrows_what_no_central_difference_keeps():
    narrow = {"precision": "mixed_bfloat16"}
    plain, found = IMAGE.memory(), changed(IMAGE, **narrow)
    assert found.activations < 0.7 * plain.activations
    assert found.program > plain.program or not NARROW.graph
    for more in ({"method": "finite_difference"}, {"lambda_regularizer": "cosine"}):
        wide, found = changed(IMAGE, **more), changed(IMAGE, **more, **narrow)
        assert found.activations == wide.activations
    training = STEPS[3]
    assert changed(training, **narrow).activations < (
        0.7 * training.memory().activations
    )


def test_from_a_mapping_with_other_things():
    values = dataclasses.asdict(TEXT) | {"channels": 3}
    assert step_of(TextSearch, values) == TEXT
    assert step_of(TextSearch, values, words=5).words == 5
