"""A space of chains with four layers, of which two may be skipped."""

from __future__ import annotations

import pytest

from darts_tf.space import registry
from darts_tf.space.chain import Stage, chain_space

SMALL_CHAIN = chain_space(
    "small_chain", (Stage(8, 2, 2), Stage(16, 2, 2)), stem=8, block=8, head=16
)


@pytest.fixture
def small_chain(monkeypatch):
    """The space, known by its name."""
    monkeypatch.setitem(registry.SPACES, SMALL_CHAIN.name, SMALL_CHAIN)
    return SMALL_CHAIN
