"""A child differs from its parent in one edge, and every way is open."""

from __future__ import annotations

import collections

import numpy as np
import pytest

from darts_tf.space.architecture_string import from_string, to_string
from darts_tf.space.decisions import canonical, decided
from darts_tf.space.registry import SPACES, is_chain
from darts_tf.strategy.black_box.mutation import mutated
from darts_tf.strategy.black_box.random_choice import random_genotype


def edges(genotype, cell):
    """(operation, source, target) of each edge of a cell."""
    entries = genotype.cells[cell].edges
    targets = SPACES[genotype.space].cell(cell).entered(len(entries))
    return {(n, s, t) for (n, s), t in zip(entries, targets)}


@pytest.mark.parametrize("space", SPACES)
def test_one_edge_differs(space):
    kinds = collections.Counter()
    for seed in range(60):
        parent = random_genotype(SPACES[space], seed)
        child = mutated(parent, np.random.default_rng(seed))
        assert decided(child) and canonical(child) == child
        gone = {c: edges(parent, c) - edges(child, c) for c in child.cells}
        come = {c: edges(child, c) - edges(parent, c) for c in child.cells}
        (old,), (new,) = (set.union(*d.values()) for d in (gone, come))
        assert old[2] == new[2]
        kinds["source" if old[1] != new[1] else "operation"] += 1
        kinds["kept"] += old[0] == new[0]
    if space == "nasbench201" or is_chain(space):  # which keep every edge
        assert kinds == {"operation": 60, "kept": 0}
    else:  # half of them each
        assert 15 < kinds["source"] < 45
        if space != "s1":  # where the new place may lack the operation
            assert kinds["kept"] == kinds["source"]


def test_every_neighbour_is_as_likely():
    parent = from_string(
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"
    )
    generator = np.random.default_rng(0)
    entries = collections.Counter(
        to_string(mutated(parent, generator)) for _ in range(2400)
    )
    assert len(entries) == 6 * 4
    assert 60 < min(entries.values()) and max(entries.values()) < 145
