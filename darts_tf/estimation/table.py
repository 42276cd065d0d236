"""Estimates from the table of a benchmark, such as NAS-Bench-201."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from darts_tf.estimation.estimates import Estimate, of_accuracy
from darts_tf.space.genotype import Genotype


class TableEstimator:
    """Looks up the published validation accuracy.

    Its seconds are those of the look-up: the table has neither the time of
    the benchmark's trainings nor the spread of its runs, so the deviation is
    unknown.

    Args:
      lookup: gives the published accuracies of a genotype by name, percent.
      column: name of the accuracy that the search uses.
    """

    def __init__(
        self,
        lookup: Callable[[Genotype], Mapping[str, float]],
        column: str,
    ):
        self._lookup, self._column = lookup, column

    def __call__(self, genotype: Genotype, folder: Path) -> Estimate:
        """Estimates one genotype; the folder is not used."""
        del folder
        start = time.monotonic()
        percent = self._lookup(genotype)[self._column]
        return of_accuracy(percent / 100, time.monotonic() - start)
