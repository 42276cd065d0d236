"""Streamed batches keep the contract of those in memory."""

from __future__ import annotations

import dataclasses
import itertools
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images import batches as held
from darts_tf.data.images import streamed_batches
from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.dataset import Part, channel_statistics
from darts_tf.data.images.loading import load_images
from darts_tf.errors import InputError
from tests import imagenet

pytest.importorskip("tensorflow_datasets")
COUNT, BATCH = 22, 4
NEUTRAL = (np.zeros(3, np.float32), np.ones(3, np.float32))
CROPS = Augmentation(crop_padding=0, flip=True, resized_crop=True)
EVERYTHING = Augmentation(
    crop_padding=2, cutout_length=4, resized_crop=True, colour_jitter=0.4
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imagenet")
    counts = {"train": COUNT, "validation": 9}
    return load_images(
        "imagenet2012",
        data_dir=imagenet.prepare(folder, counts),
        image_size=8,
        stream=True,
    )


def batches(part, steps, start_step=0, seed=7, augmentation=CROPS):
    dataset = streamed_batches.training_batches(
        part,
        batch_size=BATCH,
        seed=seed,
        start_step=start_step,
        statistics=NEUTRAL,
        augmentation=augmentation,
    )
    return [(x.numpy(), y.numpy()) for x, y in itertools.islice(dataset, steps)]


@pytest.mark.slow
@pytest.mark.parametrize("start_step", [1, 5, 13])
def test_going_on_at_a_step_gives_the_very_same_batches(data, start_step):
    whole = batches(data.train, 16, augmentation=EVERYTHING)
    rest = batches(data.train, 3, start_step, augmentation=EVERYTHING)
    for (x, y), (same_x, same_y) in zip(whole[start_step:], rest):
        np.testing.assert_array_equal(x, same_x)
        np.testing.assert_array_equal(y, same_y)


@pytest.mark.slow
def test_an_epoch_is_a_permutation_and_labels_are_the_images_own(data):
    steps = held.steps_per_epoch(data.train, BATCH)
    assert steps == 5
    found = batches(data.train, 3 * steps)
    for x, y in found:
        assert x.shape == (BATCH, 8, 8, 3) and x.dtype == np.float32
        assert y.shape == (BATCH,) and y.dtype == np.int32
        np.testing.assert_array_equal(imagenet.label_of(imagenet.numbers(x)), y)
    epochs = np.concatenate([y for _, y in found]).reshape(3, steps * BATCH)
    for epoch in epochs:
        assert len(set(epoch)) == steps * BATCH
    assert np.any(epochs[0] != epochs[1])
    assert set(epochs[0]) != set(epochs[1])  # another remainder is dropped


@pytest.mark.slow
def test_the_order_is_that_of_images_in_memory(data):
    part = Part(np.zeros((COUNT, 8, 8, 3), np.uint8), data.train.labels)
    dataset = held.training_batches(
        part, batch_size=BATCH, seed=7, start_step=3, statistics=NEUTRAL
    )
    for (_, y), (_, same) in zip(dataset, batches(data.train, 9, 3)):
        np.testing.assert_array_equal(y, same)


def test_every_image_is_measured_once(data):
    for part in (data.train, data.load_test()):
        found = list(
            streamed_batches.ordered_batches(part, batch_size=BATCH, statistics=NEUTRAL)
        )
        sizes = [len(y) for _, y in found]
        assert sizes[:-1] == [BATCH] * (len(found) - 1)
        assert sizes[-1] == part.size % BATCH
        labels = np.concatenate([y for _, y in found])
        np.testing.assert_array_equal(labels, part.labels)
        numbers = imagenet.numbers(np.concatenate([x for x, _ in found]))
        np.testing.assert_array_equal(imagenet.label_of(numbers), labels)


def test_images_of_one_size_are_those_in_memory(tmp_path):
    """Compares bit by bit whatever is not random."""
    from tests.data.images.test_prepared import GREY, write

    random = np.random.default_rng(0)
    examples = [
        (random.integers(0, 256, (12, 10, 1), np.uint8), i % 3) for i in range(15)
    ]
    write(tmp_path, "shapes", {"train": examples, "test": examples}, GREY)
    name = {"data_dir": str(tmp_path)}
    here = load_images("shapes", **name)
    there = load_images("shapes", stream=True, **name)
    assert here.image_shape == there.image_shape
    statistics = channel_statistics(here.train.images)
    for a, b in zip(statistics, streamed_batches.channel_statistics(there.train)):
        np.testing.assert_array_equal(a, b)
    more = {"batch_size": 4, "statistics": statistics}
    endless = {"seed": 1, "start_step": 0}
    for kind, extra in (("training", endless), ("ordered", {})):
        pairs = [
            list(
                itertools.islice(
                    getattr(module, f"{kind}_batches")(part, **more, **extra),
                    5,
                )
            )
            for module, part in ((held, here.train), (streamed_batches, there.train))
        ]
        for (x, y), (same_x, same_y) in zip(*pairs, strict=True):
            np.testing.assert_array_equal(x, same_x)
            np.testing.assert_array_equal(y, same_y)


def test_statistics_are_of_a_sample(data, monkeypatch):
    mean, std = streamed_batches.channel_statistics(data.train)
    greens = imagenet.STEP * np.arange(COUNT)
    np.testing.assert_allclose(mean, [200, greens.mean(), 30], atol=2)
    assert std[1] == pytest.approx(greens.std(), abs=1) and std[0] <= 2
    monkeypatch.setattr(streamed_batches, "SAMPLE", 1)
    one, _ = streamed_batches.channel_statistics(data.train)
    assert np.abs((one[1] + 2) % imagenet.STEP - 2) <= 2


@pytest.mark.slow
def test_seeds_steps_and_images_have_randomness_of_their_own(data):
    jitter = Augmentation(crop_padding=0, flip=False, colour_jitter=0.4)
    one = data.train.take(np.zeros(BATCH, int))  # the same image all the time
    seen = [x for x, _ in batches(one, 10, augmentation=jitter)]
    seen += [x for x, _ in batches(one, 10, seed=8, augmentation=jitter)]
    assert len({image.tobytes() for x in seen for image in x}) > 70


def test_cutout_and_black_borders_are_as_in_memory(data):
    hidden = Augmentation(crop_padding=2, flip=False, cutout_length=4)
    values = np.concatenate(
        [x[..., 0].ravel() for x, _ in batches(data.train, 5, 0, 7, hidden)]
    )
    near = np.abs(values - 200) < 4
    assert 0.4 < near.mean() < 0.95 and set(values[~near]) == {0.0}


@pytest.mark.slow
def test_only_what_is_used_is_read(data):
    """Counts reads: the batches used, and a few that are made ahead."""
    read = []

    def counted(record):
        def note(x):
            read.append(len(x))
            return x

        same = tf.numpy_function(note, [record], tf.string)
        return data.train.encoded(tf.ensure_shape(same, []))

    part = dataclasses.replace(data.train, encoded=counted)
    iterator = iter(
        streamed_batches.training_batches(
            part, batch_size=BATCH, seed=0, start_step=0, statistics=NEUTRAL
        )
    )
    next(iterator)
    before = -1
    while before != len(read):
        before = len(read)
        time.sleep(0.5)
    # One was taken, AHEAD wait, others are being put together.
    most = (1 + held.AHEAD + 3) * BATCH + held.WORKERS
    assert BATCH <= len(read) <= most


TWO_REPLICAS = """
import sys
import numpy as np
import tensorflow as tf
from darts_tf.data.images import batches, streamed_batches
from darts_tf.data.images.augmentation import Augmentation
from darts_tf.data.images.dataset import Part
from darts_tf.data.images.loading import load_images
from darts_tf.descent.replicas import Replicas

(cpu,) = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
replicas = Replicas("mirrored")
common = {"batch_size": 4, "statistics": (np.zeros(3), np.ones(3))}

def check(module, train, test, augmentation, passes):
    endless = module.training_batches(
        train, seed=7, start_step=3, augmentation=augmentation, **common
    ).take(4)
    once = module.ordered_batches(test, **common)
    for dataset, count in ((endless, 4), (once, passes)):
        whole, shared = list(dataset), list(replicas.split(dataset, 4))
        assert len(whole) == len(shared) == count
        for batch, halves in zip(whole, shared):
            for tensor, half in zip(batch, halves):
                pair = replicas.strategy.experimental_local_results(half)
                assert len(pair) == 2
                np.testing.assert_array_equal(np.concatenate(pair), tensor)

images = np.random.default_rng(0).integers(0, 256, (23, 6, 5, 3), np.uint8)
part = Part(images, np.arange(23, dtype=np.int32))
check(batches, part, part, Augmentation(2, True, 4), 6)
data = load_images("imagenet2012", data_dir=sys.argv[1], image_size=8, stream=True)
large = Augmentation(resized_crop=True)
check(streamed_batches, data.train, data.load_test(), large, 3)
print("equal")
"""


@pytest.mark.slow
def test_two_replicas_share_each_batch(data):
    """Batches in memory and streamed ones, in a process with two devices."""
    folder = pathlib.Path(data.train.paths[0]).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS, str(folder)],
        cwd=pathlib.Path(__file__).parents[3],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("equal\n"), done.stderr[-2000:]


@pytest.mark.parametrize(
    "change, word",
    [
        ({"batch_size": COUNT + 1}, "larger than the split, which has 22"),
        ({"seed": -1}, "seed"),
        ({"start_step": -1}, "start_step"),
        ({"augmentation": Augmentation(cutout_length=10)}, "cutout_length"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(data, change, word):
    given = {"batch_size": 4, "seed": 0, "start_step": 0}
    with pytest.raises(InputError, match=word) as caught:
        streamed_batches.training_batches(
            data.train, statistics=NEUTRAL, **given | change
        )
    assert "\n" not in str(caught.value)
