"""A small slice of tests/torture.py."""

from __future__ import annotations

import pytest
from absl import logging

from tests import torture

SLICE = {
    "checkpoints": 100,
    "checkpoints before 0.3.0": 100,
    "files of a run": 80,
    "folders of images": 25,
    "texts": 50,
    "genotypes": 120,
    "flagfiles": 50,
}


@pytest.mark.parametrize("name", SLICE)
def test_nothing_goes_wrong(name, monkeypatch):
    monkeypatch.setattr(logging, "warning", lambda *_: None)
    counts = torture.run(name, SLICE[name], seed=1)
    assert counts == {"fine": SLICE[name]}
