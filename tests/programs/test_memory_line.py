"""The line about memory, and its warning."""

from __future__ import annotations

import types

import pytest

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.memory import GB, Memory
from darts_tf.programs import memory_line

FOUND = Memory(5.7 * GB, 0.04 * GB, 1.6 * GB)
STEP = types.SimpleNamespace(
    memory=lambda: FOUND,
    savings=lambda: {"--recompute": Memory(1 * GB, 0, 1.6 * GB)},
)


def test_the_line():
    others = {"--recompute": 2.9 * GB, "--micro_batches=4": 3.1 * GB}
    assert memory_line.line(FOUND, others, "of main memory", 15.2 * GB) == (
        "memory: about 7.3 GB of main memory (activations 5.7, weights 0.0, "
        "program 1.6); free: 15.2 GB; with --recompute about 2.9, "
        "--micro_batches=4 about 3.1"
    )
    assert "free" not in memory_line.line(FOUND, {}, "a GPU", None)


def test_what_does_not_save_is_not_told():
    """A small search takes more with --recompute: its graphs."""
    others = {"--recompute": 7.5 * GB, "--micro_batches=4": 3.1 * GB}
    line = memory_line.line(FOUND, others, "a GPU", None)
    assert line.endswith("; with --micro_batches=4 about 3.1")


@pytest.mark.parametrize("size", [7.3, 7.5])
def test_where_nothing_saves_nothing_is_told(size):
    """Nor what would read as the same size: 7.34 GB are told as 7.3."""
    line = memory_line.line(FOUND, {"--recompute": size * GB}, "a GPU", None)
    assert "with" not in line


@pytest.mark.parametrize("available, warnings", [(1e15, 0), (0, 1)])
def test_it_warns_only_where_it_does_not_fit(monkeypatch, capsys, available, warnings):
    monkeypatch.setattr(memory_line, "available_memory", lambda: available)
    memory_line.tell(STEP, 1 * GB, Replicas("one_device"))
    said = capsys.readouterr()
    (line,), errors = said.out.splitlines(), said.err.splitlines()
    assert line.startswith("memory: about 8.3 GB of main memory (")
    assert "data 1.0" in line and "with --recompute about 3.6" in line
    assert len(errors) == warnings
    assert all(line.startswith("warning: ") for line in errors)


def test_only_the_chief_tells(capsys):
    memory_line.tell(STEP, 0, types.SimpleNamespace(chief=False))
    said = capsys.readouterr()
    assert not said.out and not said.err


def test_of_a_gpu_it_is_what_tensorflow_may_still_take(monkeypatch):
    name = "/device:GPU:0"
    devices = [types.SimpleNamespace(name=name, memory_limit=10 * GB)]
    monkeypatch.setattr(memory_line.device_lib, "list_local_devices", lambda: devices)
    config = memory_line.tf.config
    monkeypatch.setattr(config, "list_logical_devices", lambda kind: devices)
    monkeypatch.setattr(
        config.experimental,
        "get_memory_info",
        lambda device: {"device:GPU:0": {"current": 1 * GB}}[device],
    )
    assert memory_line.free_memory(accelerator=True) == 9 * GB
    monkeypatch.setattr(memory_line.device_lib, "list_local_devices", list)
    assert memory_line.free_memory(accelerator=True) is None
