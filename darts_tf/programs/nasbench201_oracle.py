"""The true accuracy of NAS-Bench-201's cells, from `nasbench201_table`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from darts_tf.config import OracleConfig
from darts_tf.data.nasbench201_table import RANKED, Table, read_table
from darts_tf.errors import InputError
from darts_tf.space import architecture_string
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.diagnostics.other_rules import RULES, derive_by_other_rules

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

    Beside it those of the cells by other rules (strategy/diagnostics/other_rules.py).
    Nothing of it enters the search: only its records.
    """
    table = table_of(config)
    if table is None:
        return ()
    return (lambda search: _scalars(table, search),)


def _scalars(table: Table, search) -> dict[str, float]:
    genotype, architecture = search.genotype(), search.architecture
    scalars = {
        f"true/{RANKED}": table.lookup(genotype)[RANKED],
        "true/rank": table.rank(genotype),
    }
    cells = derive_by_other_rules(
        search.space,
        architecture.values(),
        architecture.temperature,
        architecture.relaxation,
    )
    for rule, cell in cells.items():
        scalars[f"true/{rule}"] = table.lookup(cell)[RANKED]
        scalars[f"true/{rule}_rank"] = table.rank(cell)
    return scalars


def result(config: OracleConfig, genotype: Genotype) -> dict:
    """Returns every accuracy in percent, and the rank, for result.json."""
    table = table_of(config)
    if table is None:
        return {}
    return {"true": table.truth(genotype)}


def other_rules(config: OracleConfig, cells: Mapping[str, Genotype]) -> dict:
    """Returns the cells by other rules for result.json: their strings, and worths.

    Args:
      config: of the search.
      cells: by rule, of space nasbench201.
    """
    rows = {
        rule: {"architecture": architecture_string.to_string(cell)}
        | result(config, cell)
        for rule, cell in cells.items()
    }
    return {"other_rules": rows}


def other_rules_lines(outcome: Mapping) -> str:
    """Returns a summary's lines of what `other_rules` returned, or ""."""
    lines = []
    for rule, row in outcome.get("other_rules", {}).items():
        true = row.get("true")
        worth = f": {true[RANKED]:.2f} %, rank {true['rank']:,}" if true else ""
        lines.append(f"  {RULES[rule]}{worth}\n    {row['architecture']}\n")
    return "".join(lines)


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
