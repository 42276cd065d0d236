"""The step of each program's line about memory."""

from __future__ import annotations

import types

import numpy as np
import pytest

from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.data.text.loading import EOS, UNKNOWN, TextData, Vocabulary
from darts_tf.programs import memory_report
from darts_tf.programs.memory_steps import (
    GIVEN_WEIGHTS,
    ImageSearch,
    ImageTraining,
    TextSearch,
    TextTraining,
)
from darts_tf.space.published import CONVOLUTIONAL, RECURRENT

TWO = types.SimpleNamespace(count=2, chief=True)
PART = types.SimpleNamespace(nbytes=10 * 8 * 8)
IMAGES = types.SimpleNamespace(
    images=types.SimpleNamespace(train=PART, num_classes=3, image_shape=[8, 8, 1]),
    parts=[PART, PART],
)
SHAPE = {"classes": 3, "image_shape": (8, 8, 1)}
WORDS = np.zeros(50, np.int32)
VOCABULARY = Vocabulary(("a", "b", EOS, UNKNOWN))
TEXT = TextData("own", VOCABULARY, WORDS, WORDS, {}, None)
SEARCH = SearchConfig(
    space="s2",
    method="exact",
    channels=4,
    layers=5,
    batch_size=12,
    micro_batches=2,
    recompute=True,
    partial_channels=2,
    lambda_regularizer="sign",
    lambda_gradient="exact",
    precision="mixed_float16",
    hidden_size=6,
    bptt=7,
)
TRAINING = TrainingConfig(
    channels=4,
    layers=5,
    batch_size=12,
    precision="mixed_float16",
    auxiliary_weight=0.0,
    network="mobile",
    hidden_size=6,
    bptt=7,
)


@pytest.fixture
def printed(monkeypatch):
    """Collects (step, bytes of data) of all that is printed."""
    steps = []
    monkeypatch.setattr(
        memory_report.memory_line,
        "tell",
        lambda step, held, replicas: steps.append((step, held)),
    )
    return steps


def test_a_search_on_images(printed):
    memory_report.search(SEARCH, IMAGES, TWO)
    assert printed == [
        (
            ImageSearch(
                "s2",
                "exact",
                4,
                5,
                6,
                2,
                True,
                2,
                "sign",
                "exact",
                "mixed_float16",
                **SHAPE,
            ),
            3 * 10 * 64,
        )
    ]


def test_given_weights_have_no_alpha(printed):
    memory_report.given_weights(SEARCH, IMAGES, TWO)
    assert printed[0][0] == ImageSearch(
        "s2",
        GIVEN_WEIGHTS,
        4,
        5,
        6,
        2,
        True,
        2,
        "none",
        "exact",
        "mixed_float16",
        **SHAPE,
    )


def test_a_training_on_images(printed):
    genotype = CONVOLUTIONAL["DARTS_V2"]
    memory_report.training(TRAINING, genotype, IMAGES, TWO)
    assert printed[0][0] == ImageTraining(
        genotype, 4, 5, 6, 2, False, "mobile", "mixed_float16", **SHAPE
    )


def test_text(printed):
    genotype = RECURRENT["DARTS_V2"]
    memory_report.search(SEARCH, TEXT, TWO)
    memory_report.training(TRAINING, genotype, TEXT, TWO)
    assert printed == [
        (TextSearch("exact", 6, 4, 7, 6, 2), 400),
        (TextTraining(genotype, 6, 4, 7, 6, 2), 400),
    ]


def test_a_forecast_that_fails_stops_nothing(capsys):
    config = SEARCH.replace(space="unheard of")
    memory_report.search(config, IMAGES, TWO)
    assert capsys.readouterr().out.startswith("memory: unknown (")
