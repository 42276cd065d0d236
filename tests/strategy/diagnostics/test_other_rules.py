"""Cells of NAS-Bench-201 by DARTS's rule and of minus alpha."""

from __future__ import annotations

import numpy as np

from darts_tf.space.architecture_string import to_string
from darts_tf.space.nasbench201 import CANDIDATES, SPACE
from darts_tf.strategy.darts.derivation import derive
from darts_tf.strategy.diagnostics.other_rules import (
    RULES,
    derive_by_other_rules,
    without_zero,
)


def test_cells_by_hand():
    """On each edge zero is the strongest, then nor_conv_3x3; the weakest is a pool."""
    alpha = np.zeros((6, 5))
    for name, value in (("none", 3), ("nor_conv_3x3", 2), ("avg_pool_3x3", -1)):
        alpha[:, CANDIDATES.index(name)] = value
    alpha[0] *= -1  # and of the first edge zero is the weakest
    cells = derive_by_other_rules(SPACE, [alpha])
    assert cells.keys() == RULES.keys()
    edges = {rule: cell.cells["cell"].edges for rule, cell in cells.items()}
    by_rule = {rule: [name for name, _ in rows] for rule, rows in edges.items()}
    assert by_rule["zero_excluded"] == ["avg_pool_3x3", *["nor_conv_3x3"] * 5]
    assert by_rule["negated_alpha"] == ["none", *["avg_pool_3x3"] * 5]
    assert by_rule["negated_zero_excluded"] == ["nor_conv_3x3", *["avg_pool_3x3"] * 5]
    assert to_string(derive(SPACE, [alpha])).count("none") == 5


def test_the_space_itself_keeps_zero():
    assert all(spec.zero_kept for spec in SPACE.cells)
    assert not any(spec.zero_kept for spec in without_zero(SPACE).cells)
