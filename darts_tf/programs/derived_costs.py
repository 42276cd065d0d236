"""Costs of a derived genotype by the tables of its search; needs no TensorFlow.

A search with --cost keeps its tables in costs.json: by the name of a cost
{"constant": what every network has, "costs": {kind of cell: [edges, candidates]}}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.config_rules import COST_TITLES as TITLES
from darts_tf.config_rules import cost_targets
from darts_tf.errors import InputError
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.reading import read_json, reason_of
from darts_tf.run.files import write_json_atomic
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts.within_targets import CostTargets

FILE = "costs.json"


def write(folder: Path, tables: Iterable[CostTable]) -> None:
    """Writes the tables of a search into its folder."""
    content = {
        table.name: {
            "constant": table.constant,
            "costs": {kind: costs.tolist() for kind, costs in table.costs.items()},
        }
        for table in tables
    }
    write_json_atomic(folder / FILE, content)


def read(folder: Path, space: SearchSpace) -> tuple[CostTable, ...]:
    """Returns the tables in a search's folder; none of one that has no file.

    Raises:
      InputError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        content = read_json(path)
        return tuple(_table(name, space, row) for name, row in content.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({reason_of(error)}); the search's own command "
            "writes it again"
        ) from error


def _table(name: str, space: SearchSpace, row: Mapping) -> CostTable:
    costs = {spec.name: np.array(row["costs"][spec.name]) for spec in space.cells}
    for spec in space.cells:
        if costs[spec.name].shape != spec.alpha_shape:
            raise ValueError(f"the costs of {spec.name} do not fit the space")
    return CostTable(name, space, row["constant"], costs)


def summary(
    folder: Path,
    search: SearchConfig,
    genotype: Genotype,
    strongest: Genotype | None = None,
) -> str:
    """Returns lines with what a genotype of a search costs, beside the targets.

    Args:
      folder: of the search.
      search: its settings.
      genotype: derived from its alpha.
      strongest: of the strongest operations, which may be above the targets; None:
        nothing is said of them.
    """
    tables = read(folder, space_by_name(genotype.space))
    costs = outcome(tables, cost_targets(search), genotype)
    return lines(beside_strongest(costs, tables, genotype, strongest or genotype))


def targets_of(tables: Sequence[CostTable], search: SearchConfig) -> CostTargets | None:
    """Returns what the networks of a search may cost; None without targets.

    Args:
      tables: of its costs; a search before 0.4.0 kept none, and has no targets.
      search: its settings.
    """
    most = cost_targets(search)
    if not tables or most is None:
        return None
    return CostTargets(tuple(tables), most, search.cost_floor or 0.0)


def outcome(
    tables: Sequence[CostTable], targets: Sequence[float] | None, genotype: Genotype
) -> dict[str, dict[str, float]]:
    """Returns {"derived": cost, and its "target" if there are targets} by name."""
    rows = {table.name: {"derived": table.of(genotype)} for table in tables}
    for name, target in zip(rows, targets or ()):
        rows[name]["target"] = target
    return rows


def beside_strongest(
    costs: Mapping[str, Mapping[str, float]],
    tables: Iterable[CostTable],
    genotype: Genotype,
    strongest: Genotype,
) -> dict[str, dict[str, float]]:
    """Returns the costs of a genotype beside those of the strongest operations.

    Args:
      costs: what `outcome` or CostPenalty.outcome gave of the genotype.
      tables: of the costs, in their order.
      genotype: that is derived.
      strongest: of the strongest operations.

    Returns:
      `costs`, with "strongest" in each row if the genotypes differ.
    """
    if genotype == strongest:
        return {name: dict(row) for name, row in costs.items()}
    pairs = zip(costs.items(), tables, strict=True)
    return {n: {**row, "strongest": table.of(strongest)} for (n, row), table in pairs}


def lines(costs: Mapping[str, Mapping[str, float]]) -> str:
    """Returns lines of a summary: the derived costs beside their targets.

    Args:
      costs: what `outcome`, CostPenalty.outcome or `beside_strongest` gave.
    """
    text = ""
    for name, row in costs.items():
        text += f"  {TITLES[name]:<13} {exact(row['derived'])}"
        if "target" in row:
            over = row["derived"] > row["target"]
            verdict = "ABOVE the target of" if over else "within the target of"
            text += f", {verdict} {short(row['target'], name)}"
        if "strongest" in row:
            text += f"; the strongest operations: {exact(row['strongest'])}"
        text += "\n"
    return text


def exact(value: float) -> str:
    """Returns a count with all its digits, milliseconds with three decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def short(value: float, name: str = "") -> str:
    """Returns a cost with four digits and a unit, such as 300M, 4.715M, 8ms or 10s.

    Args:
      value: the cost.
      name: of the cost; "latency" has a unit of its own.
    """
    if name == "latency":
        return f"{value / 1e3:.4g}s" if value >= 1e3 else f"{value:.4g}ms"
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.4g}{unit}"
    return f"{value:.4g}"
