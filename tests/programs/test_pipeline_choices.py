"""The pipeline's choices: sensible from ten images to a million, and pure."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.config import ChosenConfig, PipelineConfig
from darts_tf.config_rules import declared
from darts_tf.programs.data_facts import ImageFacts, Machine, TextFacts
from darts_tf.programs.expected_time import (
    expected_lines,
    format_minutes,
    step_seconds,
    text_step_seconds,
)
from darts_tf.programs.pipeline_choices import choose

TWO_CORES = Machine(2, 16e9)
GPU = Machine(16, 128e9, 1)


def photos(train: int, classes: int = 3, smallest: int | None = None, **other):
    facts = {
        "classes": classes,
        "train": train,
        "smallest_class": train // classes if smallest is None else smallest,
        "height": 480,
        "width": 640,
        "one_size": False,
        "channels": 3,
    }
    return ImageFacts(**(facts | other))


def values(facts, machine=TWO_CORES, **given) -> dict:
    chosen = {choice.name: choice.value for choice in choose(facts, machine, given)}
    return chosen | given


def test_ninety_six_photographs():
    chosen = values(photos(96))
    assert chosen["image_size"] == 32 and chosen["search_examples"] == 0
    assert chosen["search_batch_size"] <= 96 // 2 // 4
    assert chosen["valid_fraction"] == 0.2
    assert chosen["search_epochs"] > 10 and chosen["epochs"] > 10
    assert (chosen["channels"], chosen["layers"]) == (16, 5)


def test_a_hundred_and_twenty_thousand():
    chosen = values(photos(120_000, classes=100))
    assert 2000 < chosen["search_examples"] < 12_000
    assert chosen["search_epochs"] <= 8 and chosen["epochs"] == 3
    assert chosen["valid_fraction"] == 0.1


def test_a_chain_has_a_width_and_no_layers():
    names = {c.name for c in choose(photos(96), TWO_CORES, {}, chain=True)}
    assert "width_multiplier" in names
    assert not names & {"channels", "layers", "search_channels", "search_layers"}


def test_a_gpu_has_the_papers_sizes():
    facts = photos(45_000, classes=10, height=32, width=32, one_size=True)
    chosen = values(facts, GPU)
    assert chosen["method"] == "first_order" and chosen["image_size"] is None
    assert values(facts, GPU, recipe="none")["method"] == "finite_difference"
    assert (chosen["search_channels"], chosen["search_layers"]) == (16, 8)
    assert (chosen["search_batch_size"], chosen["search_epochs"]) == (64, 50)
    assert (chosen["channels"], chosen["layers"], chosen["batch_size"]) == (36, 20, 96)
    assert chosen["alpha_learning_rate"] == 3e-4


@pytest.mark.parametrize("side, size", [(8, None), (32, None), (33, 32), (20, None)])
def test_small_images_stay_as_they_are(side, size):
    facts = photos(500, height=side, width=side, one_size=True)
    assert values(facts)["image_size"] == size


def test_images_are_never_scaled_up_beyond_the_median():
    assert values(photos(500, height=21, width=90))["image_size"] == 16
    assert values(photos(500, height=5, width=90))["image_size"] == 8


def test_memory_bounds_the_image_size():
    assert values(photos(2_000_000), Machine(64, 16e9, 8))["image_size"] == 16


def test_rare_classes_keep_images_in_a_part_of_the_data():
    chosen = values(photos(120_000, classes=3, smallest=12))
    assert chosen["search_examples"] * 12 / 120_000 >= 4
    assert values(photos(96, smallest=3))["valid_fraction"] == 0


def test_given_settings_are_left_alone_and_the_others_follow():
    names = {c.name for c in choose(photos(96), TWO_CORES, {"search_batch_size": 2})}
    assert "search_batch_size" not in names and "search_epochs" in names
    few, many = (values(photos(960), search_batch_size=size) for size in (2, 64))
    assert few["search_epochs"] < many["search_epochs"]
    assert values(photos(96), image_size=64)["crop_padding"] == 8


@settings(max_examples=30, deadline=None)
@given(
    st.integers(12, 2_000_000),
    st.integers(2, 1000),
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.sampled_from([TWO_CORES, GPU, Machine(1, 1e9)]),
)
def test_any_set_has_choices_that_a_pipeline_takes(train, classes, height, width, on):
    classes = min(classes, train // 4)
    facts = photos(train, classes, height=height, width=width)
    choices = choose(facts, on, {})
    assert choices == choose(facts, on, {})  # a pure function
    chosen = {choice.name: choice.value for choice in choices}
    config = PipelineConfig(**chosen)  # every value is within its bounds
    used = chosen["search_examples"] or train
    assert used <= train and chosen["search_batch_size"] <= max(used // 2, 2)
    assert chosen["batch_size"] <= train
    assert expected_lines(facts, on, config)
    for choice in choices:
        assert len(f"  {choice}") <= 100, choice
        assert f"(--{choice.name})" in str(choice)


@settings(max_examples=20, deadline=None)
@given(st.integers(60, 2_000_000), st.integers(40, 200_000))
def test_any_text_has_choices_that_fit_its_parts(train, valid):
    valid = min(valid, train)
    chosen = values(TextFacts(train, valid, 50))
    for batch in (chosen["search_batch_size"], chosen["batch_size"]):
        assert train // batch > chosen["bptt"] and valid // batch > chosen["bptt"]
    PipelineConfig(**chosen)
    for choice in choose(TextFacts(train, valid, 50), TWO_CORES, {}):
        assert len(f"  {choice}") <= 100


def test_only_settings_of_the_pipeline_are_chosen():
    names = {*values(photos(96)), *values(TextFacts(9000, 900, 50))}
    names |= {choice.name for choice in choose(photos(96), TWO_CORES, {}, chain=True)}
    assert names == {*declared(ChosenConfig)}


def test_choosing_needs_no_tensorflow():
    import subprocess

    script = (
        "import sys, darts_tf.programs.pipeline, darts_tf.programs.pipeline_choices\n"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    "seconds, text",
    [(10, "1 minute"), (200, "3 minutes"), (5399, "90 minutes"), (7200, "2.0 hours")],
)
def test_minutes(seconds, text):
    assert format_minutes(seconds) == text


@pytest.mark.parametrize(
    "kind, sizes, measured",
    [
        ("search", (16, 8, 16, 1024), 0.76),  # first order, docs/performance.md
        ("training", (16, 5, 64, 1024), 0.38),  # configs/cifar10/small_evaluate.flags
        ("training", (8, 3, 32, 64), 0.022),  # configs/digits/evaluate.flags
    ],
)
def test_the_time_of_a_step_of_images_is_near_what_was_measured(kind, sizes, measured):
    channels, layers, batch, pixels = sizes
    seconds = step_seconds(kind, channels, layers, batch, pixels, cores=2)
    assert 0.8 < seconds / measured < 1.25


@pytest.mark.parametrize(
    "kind, sizes, measured",
    [
        # hidden_size, batch_size, bptt, vocabulary; docs/performance.md
        ("search", (300, 256, 35, 10_000), 8.06),  # first order
        ("search", (100, 32, 35, 2000), 0.82 / 2.7),  # eq. 8
        # Processor seconds of dt.evaluate's steps, for DARTS_V2, times 0.8.
        ("training", (96, 16, 35, 2500), 0.8 * 0.038),
        ("training", (128, 16, 35, 8000), 0.8 * 0.071),
    ],
)
def test_the_time_of_a_step_of_text_is_near_what_was_measured(kind, sizes, measured):
    assert 0.7 < text_step_seconds(kind, *sizes, cores=2) / measured < 1.4


def test_minutes_of_a_text_and_none_of_a_gpu():
    facts = TextFacts(60_000, 6000, 2500)
    for machine, words in ((TWO_CORES, "minutes in all"), (GPU, "time left")):
        config = PipelineConfig(dataset="text_folder", **values(facts, machine))
        (line,) = expected_lines(facts, machine, config)
        assert words in line, line
