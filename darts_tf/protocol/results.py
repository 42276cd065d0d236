"""Gathers an experiment's results so far from the results of its runs.

Errors are shares, perplexities as they are; costs are device-seconds: the
seconds of a run by the clock, over all its starts, times its devices. (A
run's clock starts when its network is built and its data are loaded.)
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from darts_tf.data.nasbench201_table import read_table
from darts_tf.protocol.plan import (
    METHODS,
    RANDOM,
    Plan,
    on_rungs,
    result_of,
    selected,
)
from darts_tf.protocol.stages import missing
from darts_tf.reading import read_json
from darts_tf.space.cell import ZERO
from darts_tf.space.genotype import Genotype
from darts_tf.space.registry import space_by_name


def gather_parts(plan: Plan, parts: Mapping[str, dict]) -> dict:
    """Returns the content of results.json of an experiment with cost targets.

    Args:
      plan: of the whole experiment.
      parts: what `gather` returned, by target.
    """
    shared = ("space", "strategy", "method", "operations", "measure")
    first = next(iter(parts.values()))
    return {
        "name": plan.name,
        **{name: first[name] for name in shared},
        "cost_targets": dict(parts),
        "missing": missing(plan),
    }


def gather(plan: Plan) -> dict:
    """Returns the content of results.json; None stands for what is not known yet.

    Args:
      plan: without cost targets, or the part of one.
    """
    key = selected(plan)
    searches = [_searched(plan, seed) for seed in plan.seeds]
    cells = _cells(plan, key)
    full = _full(plan, key) if key else []
    top5 = spread([r["top5"] for r in full if r["top5"] is not None])
    costs = {
        "search": _cost(searches),
        "selection": _cost([*cells.values(), *_ended_early(plan)]),
        "full": _cost(full),
    }
    return {
        "name": plan.name,
        "space": plan.space,
        "strategy": plan.strategy,
        "method": METHODS.get(plan.strategy, plan.strategy),
        "operations": operations(plan.space),
        "measure": plan.measure,
        "searches": searches,
        "cells": cells,
        "rungs": _rungs(plan),
        "selected": key,
        "genotype": key and read_json(plan.cell(key)),
        "full": full,
        "test": spread([run["test"] for run in full]),
        "valid": spread([r["valid"] for r in full if r["valid"] is not None]),
        "top5": top5 and top5["mean"],
        **_size(plan, key),
        "true": _true(plan, searches, key),
        "device_seconds": costs,
        # As in the paper's tables: without the selection, but where that
        # is all the search there is.
        "search_cost": costs["selection" if _random(plan) else "search"],
        "evaluations": _evaluations(plan, searches, cells),
        "missing": missing(plan),
    }


def spread(values: Sequence[float]) -> dict | None:
    """Returns mean and standard deviation (n - 1); None for no values."""
    if not values:
        return None
    many = len(values) > 1
    return {
        "mean": statistics.fmean(values),
        "deviation": statistics.stdev(values) if many else None,
        "values": list(values),
    }


def operations(space: str) -> int:
    """Returns the number of operations to choose among, without zero (#ops)."""
    cells = space_by_name(space).cells
    names = {n for c in cells for edge in c.candidates for n in edge}
    return len(names - {ZERO})


def _random(plan: Plan) -> bool:
    return plan.strategy == RANDOM


def _searched(plan: Plan, seed: int) -> dict:
    """Returns one search's entry; a random genotype has no result and no cost."""
    result = result_of(plan.search(seed)) or {}
    return {
        "seed": seed,
        "cell": plan.cell_key(seed),
        "evaluations": result.get("evaluations"),
        "true": result.get("true"),
        **({"cost": result["cost"]} if "cost" in result else {}),
        **_took(result),
    }


def _cells(plan: Plan, selected_key) -> dict[str, dict]:
    """Returns, by key, the finished short training of each distinct cell."""
    cells: dict[str, dict] = {}
    for seed in plan.seeds:
        for key in plan.cell_keys(seed):
            result = result_of(plan.short(key))
            if not result:
                continue
            cell = cells.setdefault(
                key,
                {
                    "seeds": [],
                    "valid": float(result["valid"][plan.measure]),
                    "selected": key == selected_key,
                    **_took(result),
                },
            )
            cell["seeds"].append(seed)
    return cells


def _rungs(plan: Plan) -> list[dict]:
    """Returns epochs and cells of each rung of the selection; [] for one rung."""
    if len(plan.rungs) == 1:
        return []
    pairs = zip(plan.rungs, on_rungs(plan), strict=False)
    return [{"epochs": epochs, "cells": len(keys)} for epochs, keys in pairs]


def _ended_early(plan: Plan) -> list[dict]:
    """Returns the cost of each short training that was not promoted to the last rung.

    The clock of its highest rung is that of all below it too.
    """
    costs = {}
    for rung, keys in enumerate(on_rungs(plan)):
        for key in keys:
            path = plan.outcome_on(key, rung)
            if path.exists():
                costs[key] = _took(read_json(path))
    return [cost for key, cost in costs.items() if not result_of(plan.short(key))]


def _full(plan: Plan, key: str) -> list[dict]:
    """Returns the finished full trainings of the selected cell."""
    runs = []
    for seed in range(plan.values["evaluate_seeds"]):
        result = result_of(plan.full(key, seed))
        if result:
            runs.append(
                {
                    "seed": seed,
                    "test": float(result["test"][plan.measure]),
                    "top5": result["test"].get("top5_error"),
                    "valid": result["valid"].get(plan.measure),
                    **_took(result),
                }
            )
    return runs


def _size(plan: Plan, key: str | None) -> dict:
    """Returns the size of the full network, the same for all seeds."""
    names = ("parameters", "multiply_adds")
    for seed in range(plan.values["evaluate_seeds"]):
        result = result_of(plan.full(key, seed)) if key else None
        if result:
            return {name: result.get(name) for name in names}
    return dict.fromkeys(names)


def _true(plan: Plan, searches, key: str | None) -> dict | None:
    """Returns the benchmark's accuracies of the selected cell, if it has any."""
    if key is None:
        return None
    for search in searches:
        if search["cell"] == key and search["true"]:
            return search["true"]
    path = plan.values.get("nasbench201_table")
    return read_table(path).truth(Genotype.from_file(plan.cell(key))) if path else None


def _evaluations(plan: Plan, searches, cells) -> int | None:
    """Returns the number of genotypes evaluated before selection, or None."""
    if _random(plan):
        return len(cells) if len(plan.rungs) == 1 else len(on_rungs(plan)[0])
    counts = [s["evaluations"] for s in searches if s["evaluations"]]
    return sum(counts) if counts else None


def _took(result: dict) -> dict:
    # Results from before there was a number are of one device.
    return {
        "seconds": float(result.get("seconds", 0)),
        "devices": result.get("devices", 1),
    }


def _cost(runs) -> float:
    return sum(run["seconds"] * run["devices"] for run in runs)
