"""What the entry points share: which steps XLA compiles."""

import pytest

from train import setup


@pytest.mark.parametrize(
    ("jit", "supernet", "given"),
    [
        ("auto", True, "off"), ("on", True, "on"), ("off", True, "off"),
        ("auto", False, "auto"), ("on", False, "on"),
    ],
)  # fmt: skip
def test_auto_leaves_supernets_to_tensorflow(monkeypatch, jit, supernet, given):
    seen = []
    monkeypatch.setattr(
        setup, "replicas_for", lambda *values: seen.append(values)
    )
    monkeypatch.setattr(setup.space_flags, "check_space", lambda flags: None)
    flags = setup.StoredFlags({
        "seed": 0, "deterministic": False, "distribute": "one_device",
        "jit": jit,
    })  # fmt: skip
    setup.prepare(flags, supernet=supernet)
    assert seen == [("one_device", given)]
