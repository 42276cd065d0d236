"""The true accuracy of NAS-Bench-201's cells, with --nasbench201_table."""

from __future__ import annotations

import functools
from collections.abc import Callable

from darts_tf.data.nasbench201_table import RANKED, Table, read_table
from darts_tf.errors import InputError
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE

_read = functools.cache(read_table)


def table_of(flags) -> Table | None:
    """The table that the flags name, read once; None without one."""
    path = flags.nasbench201_table
    return None if path is None else _read(path)


def check(flags, space: str) -> None:
    """Reads the table, if there is one, and the space is the one it is of.

    Raises:
      InputError: it cannot be used.
    """
    if table_of(flags) is not None and space != SPACE.name:
        raise InputError(
            f"--nasbench201_table knows cells of the space {SPACE.name} "
            f"only, these are of {space}; leave it out"
        )


def instruments(flags) -> tuple[Callable, ...]:
    """What shows the true accuracy and rank of the cell of now, if it may.

    Nothing of it enters the search: only its records.
    """
    table = table_of(flags)
    if table is None:
        return ()
    return (lambda search: _scalars(table, search.genotype()),)


def _scalars(table: Table, genotype: Genotype) -> dict[str, float]:
    return {
        f"true/{RANKED}": table.lookup(genotype)[RANKED],
        "true/rank": table.rank(genotype),
    }


def result(flags, genotype: Genotype) -> dict:
    """For result.json: every accuracy in percent, and the rank."""
    table = table_of(flags)
    if table is None:
        return {}
    found = table.lookup(genotype) | {"rank": table.rank(genotype)}
    return {"true": found | {"cells": len(table.accuracies)}}


def told(flags, genotype: Genotype) -> str:
    """A line of a summary with the true accuracy and rank, or ""."""
    table = table_of(flags)
    if table is None:
        return ""
    accuracy, rank = table.lookup(genotype)[RANKED], table.rank(genotype)
    return (
        f"  true accuracy {accuracy:.2f} % on CIFAR-10 (test, 200 epochs), "
        f"rank {rank:,} of {len(table.accuracies):,}\n"
    )
