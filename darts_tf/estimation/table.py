"""Estimates that somebody else has measured: a benchmark's table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from darts_tf.estimation.estimates import Estimate, of_accuracy
from darts_tf.space.genotype import Genotype


class TableEstimator:
    """Looks up the published validation accuracy.

    Its seconds are those of the look-up; what the training took that the
    benchmark has done once for all is not in the table. Nor is the spread of
    its runs: how sure it is remains unknown.

    Args:
      lookup: gives the published accuracies of a genotype by name, percent.
      column: the name of the one that the search is told.
    """

    def __init__(
        self,
        lookup: Callable[[Genotype], Mapping[str, float]],
        column: str,
    ):
        self._lookup, self._column = lookup, column

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """The estimate of one genotype; the folder is not used."""
        del folder
        start = time.monotonic()
        percent = self._lookup(genotype)[self._column]
        return of_accuracy(percent / 100, time.monotonic() - start)
