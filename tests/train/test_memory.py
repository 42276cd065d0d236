"""The estimate of memory: pure numbers, its line, its warning."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint import Held
from darts_tf.networks.memory import GB, KINDS, PROGRAM, Memory, estimate
from darts_tf.networks.network_footprint import Footprint
from darts_tf.space.published import CONVOLUTIONAL
from train import memory

SIZES = Footprint(
    cells=(Held(10, 100, 30), Held(20, 50, 5)), outside=Held(5, 7),
    inputs=11, operations=6,
)  # fmt: skip
STEP = memory.SearchStep("darts_conv", "first_order", 16, 8, 64, 1, False, 1)


def test_by_hand():
    found = estimate(SIZES, "first_order", images=3)
    # All of both cells; 100 + 30 and 150 + 5 elements of cells at once.
    assert found.activations == 4 * 3 * (7 + 155)
    assert found.weights == 4 * KINDS["first_order"].copies * 35
    assert found.program == PROGRAM + 6 * KINDS["first_order"].graph
    assert found.total == found.activations + found.weights + found.program
    again = estimate(SIZES, "first_order", 3, recompute=True)
    assert again.activations == 4 * 3 * (7 + 11 + 130)
    half = estimate(SIZES, "first_order", 3, element=2)
    assert half.activations == found.activations / 2


def test_it_grows_linearly_with_the_batch_alone():
    sizes = [
        dataclasses.replace(STEP, batch_size=n).memory()
        for n in (0, 16, 32, 64)
    ]
    empty, *others = [found.total for found in sizes]
    more = np.subtract(others, empty)
    np.testing.assert_allclose(more, more[0] * np.array([1, 2, 4]))
    assert more[0] > 1e9  # 16 images of 89 MB
    assert {(m.weights, m.program) for m in sizes} == {
        (sizes[0].weights, sizes[0].program)
    }


def test_micro_batches_are_smaller_batches():
    sliced = dataclasses.replace(STEP, micro_batches=4)
    small = dataclasses.replace(STEP, batch_size=16)
    assert sliced.memory() == small.memory()


def test_what_saves_is_named_and_saves():
    savings = STEP.savings()
    assert set(savings) == {
        "--recompute", "--micro_batches=4", "--partial_channels=4"
    }  # fmt: skip
    whole = STEP.memory().activations
    for step in savings.values():
        assert step.memory().activations < 0.45 * whole
    odd = dataclasses.replace(
        STEP, batch_size=30, channels=6, recompute=True
    )
    assert odd.savings() == {}


def test_the_line():
    found = Memory(5.7 * GB, 0.04 * GB, 1.6 * GB)
    others = {"--recompute": 2.9 * GB, "--micro_batches=4": 3.1 * GB}
    assert memory.line(found, others, "of main memory", 15.2 * GB) == (
        "memory: about 7.3 GB of main memory (activations 5.7, weights 0.0, "
        "program 1.6); free: 15.2 GB; with --recompute about 2.9, "
        "--micro_batches=4 about 3.1"
    )
    assert "free" not in memory.line(found, {}, "a GPU", None)
    assert found.of_device().total == 5.74 * GB
    host = found.of_host(2, 1 * GB)
    assert host.total == pytest.approx((2 * 5.74 + 1.6 + 1) * GB)


class Flags(types.SimpleNamespace):
    """As absl's."""

    def __getitem__(self, name):
        return types.SimpleNamespace(value=getattr(self, name))

    def __contains__(self, name):
        return hasattr(self, name)


def told(monkeypatch, capsys, available: float):
    """(stdout, stderr) of a search's line and of an evaluation's."""
    monkeypatch.setattr(memory, "available_memory", lambda: available)
    part = types.SimpleNamespace(images=np.zeros((10, 32, 32, 3), np.uint8))
    images = types.SimpleNamespace(
        train=part, num_classes=10, image_shape=(32, 32, 3)
    )
    data = types.SimpleNamespace(images=images, parts=[part])
    flags = Flags(**dataclasses.asdict(STEP))
    memory.tell_search(flags, data, Replicas("one_device"))
    flags = Flags(
        channels=36, layers=20, auxiliary_weight=0.4, network="cifar",
        batch_size=96,
    )  # fmt: skip
    memory.tell_evaluation(
        flags, CONVOLUTIONAL["DARTS_V2"], data, Replicas("one_device")
    )
    said = capsys.readouterr()
    return said.out.splitlines(), said.err.splitlines()


def test_it_warns_only_where_it_does_not_fit(monkeypatch, capsys):
    lines, errors = told(monkeypatch, capsys, 1e15)
    assert len(lines) == 2 and not errors
    assert all(line.startswith("memory: about ") for line in lines)
    assert "--partial_channels=4" in lines[0]
    assert "--batch_size=48" in lines[1]
    lines, errors = told(monkeypatch, capsys, 0)
    assert len(lines) == 2 and len(errors) == 2
    assert all(line.startswith("warning: ") for line in errors)


def test_of_a_gpu_it_is_what_tensorflow_may_still_take(monkeypatch):
    name = "/device:GPU:0"
    devices = [types.SimpleNamespace(name=name, memory_limit=10 * GB)]
    monkeypatch.setattr(
        memory.device_lib, "list_local_devices", lambda: devices
    )
    config = memory.tf.config
    monkeypatch.setattr(
        config, "list_logical_devices", lambda kind: devices
    )
    monkeypatch.setattr(
        config.experimental, "get_memory_info",
        lambda device: {"device:GPU:0": {"current": 1 * GB}}[device],
    )  # fmt: skip
    assert memory.free_memory(accelerator=True) == 9 * GB
    monkeypatch.setattr(memory.device_lib, "list_local_devices", list)
    assert memory.free_memory(accelerator=True) is None
