"""Windows depend on seed and step alone, and cover the streams in order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from darts_tf.data.text.windows import (
    batchify,
    ordered_windows,
    steps_per_epoch,
    training_windows,
    validation_windows,
)
from darts_tf.errors import InputError

FEW = settings(max_examples=12, deadline=None)


def text(count):
    """Tokens that are their own places in the text."""
    return np.arange(count, dtype=np.int32)


def taken(dataset, count=None):
    return [
        tuple(tensor.numpy() for tensor in element)
        for element in itertools.islice(dataset, count)
    ]


def training(count, steps, start_step=0, batch_size=2, bptt=4, seed=7):
    dataset = training_windows(
        text(count),
        batch_size=batch_size,
        bptt=bptt,
        seed=seed,
        start_step=start_step,
    )
    return taken(dataset, steps)


def validation(count, steps, start_step=0, batch_size=2, bptt=4):
    dataset = validation_windows(
        text(count), batch_size=batch_size, bptt=bptt, start_step=start_step
    )
    return taken(dataset, steps)


def require_equal(windows, others):
    assert len(windows) == len(others)
    for window, other in zip(windows, others):
        for tensor, same in zip(window, other):
            np.testing.assert_array_equal(tensor, same)


def lengths(windows):
    return [inputs.shape[1] for inputs, _, _ in windows]


def require_pass(windows, streams, covered):
    """Windows are the first `covered` words of the streams, in order."""
    inputs = np.concatenate([x for x, _, _ in windows], axis=1)
    targets = np.concatenate([y for _, y, _ in windows], axis=1)
    np.testing.assert_array_equal(inputs, streams[:, :covered])
    np.testing.assert_array_equal(targets, streams[:, 1 : covered + 1])
    fresh = [bool(fresh) for _, _, fresh in windows]
    assert fresh == [True] + [False] * (len(windows) - 1)


@pytest.mark.slow
@FEW
@given(
    count=st.integers(40, 400),
    batch_size=st.integers(1, 4),
    bptt=st.integers(1, 9),
    seed=st.integers(0, 2**31 - 1),
    epoch=st.integers(0, 2**33),
)
def test_an_epoch(count, batch_size, bptt, seed, epoch):
    """It covers all but less than a window, with the right halves."""
    steps = steps_per_epoch(count, batch_size, bptt)
    windows = training(count, steps, epoch * steps, batch_size, bptt, seed)
    half = max(1, bptt // 2)
    halves = round(0.05 * steps)
    found = lengths(windows)
    if bptt > 1:
        assert found.count(half) == halves
        assert found.count(bptt) == steps - halves
    streams = batchify(text(count), batch_size)
    require_pass(windows, streams, sum(found))
    assert 0 <= streams.shape[1] - 1 - sum(found) < bptt


@pytest.mark.parametrize("start_step", [1, 12, 24, 25, 26, 60])
def test_going_on_at_a_step_gives_the_very_same_windows(start_step):
    count = 2 * (25 * 4 + 1 - 2)  # 25 windows, one of them a half one
    assert steps_per_epoch(count, 2, 4) == 25
    whole = training(count, 80)
    require_equal(training(count, 20, start_step), whole[start_step:][:20])


def test_every_epoch_begins_at_the_left_with_a_fresh_state():
    windows = training(2 * 99, 60)
    fresh = [step for step, (_, _, fresh) in enumerate(windows) if fresh]
    assert fresh == [0, 25, 50]
    for step in fresh:
        np.testing.assert_array_equal(windows[step][0][:, 0], [0, 99])


def half_places(seed, epochs):
    """Returns the half windows of each epoch of 60; [epochs, 3]."""
    windows = training(2 * (4 * 60 + 1 - 3 * 2), 60 * epochs, seed=seed)
    found = np.reshape(lengths(windows), (epochs, 60))
    return np.array([np.flatnonzero(epoch == 2) for epoch in found])


def test_half_windows_change_places_with_epoch_and_seed():
    first, second = half_places(7, 2)
    assert len(first) == 3
    assert np.any(first != second)
    assert np.any(half_places(8, 1)[0] != first)


@pytest.mark.slow
def test_half_windows_come_equally_often_at_every_place():
    counts = np.bincount(half_places(7, 100).ravel(), minlength=60)
    assert counts.sum() == 300  # 5 each; a binomial's deviation is 2.2
    assert counts.max() < 16
    assert np.mean((counts - 5.0) ** 2) < 2 * 5


@pytest.mark.slow
@FEW
@given(
    count=st.integers(8, 90),
    batch_size=st.integers(1, 4),
    bptt=st.integers(1, 60),
    rounds=st.integers(1, 3),
)
def test_validation_goes_round_and_starts_afresh(count, batch_size, bptt, rounds):
    streams = batchify(text(count), batch_size)
    room = streams.shape[1] - 1
    length = min(bptt, room)
    steps = room // length
    windows = validation(count, steps * rounds, 0, batch_size, bptt)
    assert set(lengths(windows)) == {length}
    for start in range(0, steps * rounds, steps):
        require_pass(windows[start:][:steps], streams, steps * length)
    last = validation(count, 1, steps * rounds - 1, batch_size, bptt)
    require_equal(last, windows[-1:])


@FEW
@given(
    count=st.integers(8, 90),
    batch_size=st.integers(1, 4),
    bptt=st.integers(1, 60),
)
def test_a_pass_in_order_has_every_target_once(count, batch_size, bptt):
    streams = batchify(text(count), batch_size)
    room = streams.shape[1] - 1
    windows = taken(ordered_windows(text(count), batch_size=batch_size, bptt=bptt))
    require_pass(windows, streams, room)
    assert set(lengths(windows)[:-1]) <= {bptt}
    assert 1 <= lengths(windows)[-1] <= bptt


def every_dataset(tokens):
    where = {"batch_size": 2, "bptt": 4}
    return {
        "training": training_windows(tokens, seed=0, start_step=0, **where),
        "validation": validation_windows(tokens, start_step=0, **where),
        "ordered": ordered_windows(tokens, **where),
    }


def test_static_shapes_and_options():
    for name, dataset in every_dataset(text(99)).items():
        inputs, targets, fresh = dataset.element_spec
        length = 4 if name == "validation" else None
        assert inputs.shape.as_list() == [2, length]
        assert targets.shape.as_list() == [2, length]
        assert inputs.dtype == targets.dtype == tf.int32
        assert fresh.shape == () and fresh.dtype == tf.bool
        options = dataset.options()
        assert options.deterministic
        assert options.autotune.enabled is False  # its thread delays exits
        assert options.experimental_distribute.auto_shard_policy == (
            tf.data.experimental.AutoShardPolicy.OFF
        )


def test_the_text_is_no_part_of_the_graph():
    tokens = text(100_000)
    for dataset in every_dataset(tokens).values():
        step = tf.function(lambda data=dataset: next(iter(data)))
        graph = step.get_concrete_function().graph.as_graph_def()
        assert graph.ByteSize() < tokens.nbytes / 10


def refused(call, word):
    with pytest.raises(InputError, match=word) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1; received 0"),
        ({"batch_size": 21}, "`batch_size=21` needs at least 42 tokens"),
        ({"batch_size": 9}, "window of 4 words .* has 3 .* batches of 9"),
        ({"bptt": 20}, "window of 20 words .* has 19 .* 40 tokens"),
        ({"bptt": 0}, "`bptt` must be at least 1 word; received 0"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"start_step": -1}, "start_step"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(change, word):
    refused(lambda: training(40, 1, **change), word)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"batch_size": 21}, "the text has 40"),
        ({"bptt": 0}, "`bptt` must be at least 1"),
        ({"start_step": -1}, "start_step"),
    ],
)
def test_bad_arguments_of_validation_and_of_a_pass(change, word):
    refused(lambda: validation(40, 1, **change), word)
    if "start_step" not in change:
        where = {"batch_size": 2, "bptt": 4, **change}
        refused(lambda: ordered_windows(text(40), **where), word)
