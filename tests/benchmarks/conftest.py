"""Lets studies define flags of the same names, which one process imports here."""

from __future__ import annotations

import pytest
from absl import flags


def pytest_collectstart(collector) -> None:
    """Forgets the flags of studies before the next file of tests is imported."""
    if not isinstance(collector, pytest.Module):
        return
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith("benchmarks.studies."):
            for flag in list(defined):  # which shrinks with each one
                delattr(flags.FLAGS, flag.name)
