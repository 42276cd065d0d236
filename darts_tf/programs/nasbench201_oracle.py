"""The true accuracy of NAS-Bench-201's cells, from `nasbench201_table`."""

from __future__ import annotations

import functools
from collections.abc import Callable

from darts_tf.config import OracleConfig
from darts_tf.data.nasbench201_table import RANKED, Table, read_table
from darts_tf.errors import InputError
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE

_read = functools.cache(read_table)


def table_of(config: OracleConfig) -> Table | None:
    """Returns the table, read once; None where none is named."""
    path = config.nasbench201_table
    return None if path is None else _read(path)


def check(config: OracleConfig, space: str) -> None:
    """Reads the table, if there is one.

    Raises:
      InputError: it cannot be used, or knows no cells of this space.
    """
    if table_of(config) is not None and space != SPACE.name:
        raise InputError(
            f"`nasbench201_table` knows cells of the space {SPACE.name} only, "
            f"these are of {space}; leave it out"
        )


def instruments(config: OracleConfig) -> tuple[Callable, ...]:
    """Returns an instrument that records the present cell's true accuracy and rank.

    Nothing of it enters the search: only its records.
    """
    table = table_of(config)
    if table is None:
        return ()
    return (lambda search: _scalars(table, search.genotype()),)


def _scalars(table: Table, genotype: Genotype) -> dict[str, float]:
    return {
        f"true/{RANKED}": table.lookup(genotype)[RANKED],
        "true/rank": table.rank(genotype),
    }


def result(config: OracleConfig, genotype: Genotype) -> dict:
    """Returns every accuracy in percent, and the rank, for result.json."""
    table = table_of(config)
    if table is None:
        return {}
    true = table.lookup(genotype) | {"rank": table.rank(genotype)}
    return {"true": true | {"cells": len(table.accuracies)}}


def summary_line(config: OracleConfig, genotype: Genotype) -> str:
    """Returns a summary's line with the true accuracy and rank, or ""."""
    table = table_of(config)
    if table is None:
        return ""
    accuracy, rank = table.lookup(genotype)[RANKED], table.rank(genotype)
    return (
        f"  true accuracy {accuracy:.2f} % on CIFAR-10 (test, 200 epochs), "
        f"rank {rank:,} of {len(table.accuracies):,}\n"
    )
