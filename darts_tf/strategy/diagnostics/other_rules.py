"""Derives cells by other rules than a space's own, to see what a result is due to.

In NAS-Bench-201 the zero operation competes with the others. How much zero the edges
into a cell's output carry is under-determined (DARTS sect. 2.4, which excludes zero
for that), so a search may end at a zero cell by the rule and not by what it has found:
the cell with zero excluded tells both apart. The cell of minus alpha is the one that
the search likes least: where it is as good as the derived one, alpha knows nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation

RULES = {
    "zero_excluded": "alpha by DARTS's rule, zero excluded",
    "negated_alpha": "minus alpha by the benchmark's rule",
    "negated_zero_excluded": "minus alpha, zero excluded",
}
"""The rules in words."""


def without_zero(space: SearchSpace) -> SearchSpace:
    """Returns the space with zero excluded from derivation."""
    cells = [dataclasses.replace(spec, zero_kept=False) for spec in space.cells]
    return dataclasses.replace(space, cells=tuple(cells))


def derive_by_other_rules(
    space: SearchSpace,
    alpha: Sequence[np.ndarray],
    temperature: float = 1.0,
    relaxation: str = "softmax",
) -> dict[str, Genotype]:
    """Returns the genotypes by RULES, see `derivation.derive`."""
    how = temperature, relaxation
    nonzero, negated = without_zero(space), [_negated(rows) for rows in alpha]
    return {
        "zero_excluded": derivation.derive(nonzero, alpha, *how),
        "negated_alpha": derivation.derive(space, negated, *how),
        "negated_zero_excluded": derivation.derive(nonzero, negated, *how),
    }


def _negated(rows: np.ndarray) -> np.ndarray:
    """Returns minus alpha; candidates of minus infinity stay out."""
    return np.where(np.isneginf(rows), rows, -np.asarray(rows))
