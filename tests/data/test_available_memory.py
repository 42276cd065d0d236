"""Memory against the limit of a container."""

from __future__ import annotations

import types

import pytest

from darts_tf.data import available_memory
from darts_tf.errors import InputError


@pytest.mark.parametrize(
    "limit, expected", [("max\n", 1000), ("300\n", 300), ("5000\n", 1000)]
)
def test_a_containers_limit_counts(tmp_path, monkeypatch, limit, expected):
    path = tmp_path / "memory.max"
    path.write_text(limit)
    memory = types.SimpleNamespace(available=1000)
    monkeypatch.setattr(available_memory, "CONTAINER_LIMIT", path)
    monkeypatch.setattr(available_memory.psutil, "virtual_memory", lambda: memory)
    assert available_memory.available_memory() == expected


def test_outside_of_a_container_the_machine_decides(tmp_path, monkeypatch):
    memory = types.SimpleNamespace(available=1000)
    monkeypatch.setattr(available_memory, "CONTAINER_LIMIT", tmp_path / "missing")
    monkeypatch.setattr(available_memory.psutil, "virtual_memory", lambda: memory)
    assert available_memory.available_memory() == 1000


def test_images_up_to_the_share_are_allowed_and_one_more_is_not(monkeypatch):
    shape = (10, 20, 3)  # 600 bytes each
    available = 100 * 600 / available_memory.MEMORY_FRACTION
    monkeypatch.setattr(available_memory, "available_memory", lambda: available)
    available_memory.require_memory("mine", 100, shape)
    with pytest.raises(InputError) as caught:
        available_memory.require_memory("mine", 101, shape)
    text = str(caught.value)
    assert "\n" not in text and text.startswith("mine: ")
    for part in ("101 images of 10x20x3", "40%", "`image_size`"):
        assert part in text
