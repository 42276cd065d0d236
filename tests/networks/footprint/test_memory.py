"""The estimate of a step's memory, beside measured peaks and by hand."""

from __future__ import annotations

import json
import math
import pathlib

import keras
import pytest
import tensorflow as tf

from benchmarks.speed import memory_report as table
from benchmarks.speed import step_sizes
from darts_tf.config import Method, names
from darts_tf.networks import conv, nasbench201, operation_registry
from darts_tf.networks.footprint.memory import (
    IMAGES,
    TEXT,
    Needs,
    Sizes,
    estimate,
    sizes_of,
)
from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import DerivedCell
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT
from darts_tf.space.registry import space_by_name

RESULTS = pathlib.Path(table.__file__).parent / "results"
PAPER = {"space": "darts_conv", "channels": 16, "layers": 8, "batch_size": 16}
SMALL = PAPER | {"channels": 8, "layers": 5, "method": "first_order"}
LAMBDA = {"lambda_regularizer": "cosine"}
TEXT_PAPER = {"space": "darts_recurrent", "hidden_size": 300, "words": 10000}
OTHERS = [
    PAPER | {"method": "weights", "peak_gb": 2.07},
    PAPER | {"method": "exact", "peak_gb": 6.04},
    SMALL | LAMBDA | {"peak_gb": 1.3},
    SMALL | LAMBDA | {"lambda_gradient": "exact", "peak_gb": 5.2},
    TEXT_PAPER | {"method": "first_order", "batch_size": 256, "peak_gb": 4.23},
    TEXT_PAPER | {"method": "finite_difference", "batch_size": 256, "peak_gb": 5.16},
    TEXT_PAPER | {"method": "exact", "batch_size": 128, "peak_gb": 6.93},
]
"""Peaks of docs/performance.md and benchmarks/speed/results/beside_pytorch*.md."""


def space_of(*candidates: str) -> SearchSpace:
    """Returns a space of two-node cells with these candidates on all five edges."""
    cells = tuple(
        CellSpec(name, 2, 2, (candidates,) * 5, 2, (2, 3))
        for name in ("normal", "reduce")
    )
    return SearchSpace("small", cells, candidates)


def supernet(space: SearchSpace, channels: int = 4, size: int = 8, **arguments):
    model = conv.Supernet(space, channels, 3, 3, **arguments)
    model.build((None, size, size, 3))
    return model


def elements(model) -> int:
    return sizes_of(model, 0).elements


def marked(row: dict):
    """Returns the row for pytest; a supernet of many cells takes seconds to build."""
    slow = row.get("layers", 0) > 4
    return pytest.param(row, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize(
    "row", [marked(r) for r in step_sizes.read(RESULTS / "memory.jsonl") + OTHERS]
)
def test_estimates_are_near_the_measured_peaks(row):
    """Within 12 % when the factors were fitted; a forecast may be off by 30 %."""
    assert table.estimate(row) == pytest.approx(row["peak_gb"], rel=0.3)


@pytest.mark.slow
def test_a_training_is_near_the_measured_peak():
    """36 channels, 20 cells, batch 96: 7.3 GB (docs/performance.md)."""
    model = conv.EvaluationNetwork(CONVOLUTIONAL["DARTS_V2"], 36, 20, 10)
    model.build((None, 32, 32, 3))
    sizes = sizes_of(model, 0)
    memory = estimate(96 * sizes.elements, sizes, [IMAGES["training"]])
    assert sum(memory) == pytest.approx(7.3e9, rel=0.3)


def test_by_hand():
    sizes = Sizes(elements=100, recomputed=40, layers=3, weights=7)
    memory = estimate(2 * sizes.elements, sizes, [Needs(50, 5, 0.5, 6)] * 2)
    assert memory == (4 * 1.0 * 200, 4 * 12 * 7, 2 * (50 + 3 * 5), 0)


def test_weights_are_those_of_the_network():
    model = supernet(space_of("none", "sep_conv_3x3", "max_pool_3x3"))
    counted = sum(math.prod(v.shape) for v in model.trainable_variables)
    assert sizes_of(model, 0).weights == counted > 0


def test_elements_follow_the_size_of_images_and_the_share_of_channels():
    space = space_of("none", "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3")
    usual = elements(supernet(space))
    assert elements(supernet(space, size=16)) == pytest.approx(4 * usual, rel=0.01)
    assert elements(supernet(space, partial_channels=4)) < 0.6 * usual


def test_recomputed_cells_keep_their_inputs_and_one_cell():
    space = space_of("none", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3")
    sizes = sizes_of(supernet(space, recompute=True), 0)
    assert 0 < sizes.recomputed < 0.7 * sizes.elements
    staged = nasbench201.Supernet(space_by_name("nasbench201"), 4, 6, 3)
    staged.build((None, 8, 8, 3))
    sizes = sizes_of(staged, 0)
    assert 0 < sizes.recomputed < 0.5 * sizes.elements


def test_registered_operations_are_counted_by_their_own_layers():
    """Three layers read a map each; Keras records no shape of a ReLU."""

    def ghost(channels, stride):
        return keras.Sequential(
            [
                keras.layers.ReLU(),
                keras.layers.DepthwiseConv2D(3, stride, "same"),
                keras.layers.Conv2D(channels, 1),
                keras.layers.BatchNormalization(),
            ]
        )

    operation_registry.register_operation("ghost_for_memory")(ghost)
    try:
        counted = elements(supernet(space_of("skip_connect", "ghost_for_memory")))
    finally:
        operation_registry.unregister_operation("ghost_for_memory")
    # Cells of 4, 8 and 16 channels on 8, 4 and 2 pixels; of the second and third,
    # which reduce, four edges of five read twice the size.
    maps = [4 * 8 * 8, 8 * 4 * 4, 16 * 2 * 2]
    own = 5 * 3 * maps[0] + sum((4 * (4 + 1 + 1) + 3) * n for n in maps[1:])
    assert counted - elements(supernet(space_of("skip_connect"))) == own


def test_derived_language_models_grow_with_words_and_window():
    def sizes(hidden_size: int, words: int, window: int) -> Sizes:
        cell = DerivedCell(RECURRENT["DARTS_V2"].cells["recurrent"], hidden_size)
        model = LanguageModel(cell, words)
        model(tf.zeros((1, 1), tf.int32), tf.zeros((1, hidden_size)))
        return sizes_of(model, window)

    one = sizes(5, 7, 1)
    assert one.elements == (8 * 4 + 16) * 5 + 2 * 7
    assert sizes(5, 7, 9).elements == 9 * one.elements
    assert sizes(5, 17, 1).elements == one.elements + 2 * 10
    assert sizes(5, 17, 1).weights == one.weights + 10 * (5 + 1)


def test_every_method_is_known():
    assert {*names(Method), "training"} == set(TEXT)
    assert {*names(Method), "training", "weights"} < set(IMAGES)
    rows = (RESULTS / "memory.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(row)["method"] for row in rows} == set(names(Method))
