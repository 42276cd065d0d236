"""Reads the trainings of the digits study and puts them in a table."""

from __future__ import annotations

import json
import math
import pathlib
import statistics
from collections.abc import Iterator

import numpy as np

from darts_tf.run.loop.metrics import read_metrics


def trainings(out: pathlib.Path) -> Iterator[dict]:
    """Yields a record for each finished training."""
    for path in sorted(out.glob("seed_*/*/result.json")):
        if path.parent.name == "evaluate":
            yield _record(path, "searched") | _alpha(path.parents[1] / "search")
    for path in sorted(out.glob("seed_*/compare/random_*/result.json")):
        yield _record(path, "random")


def _record(path: pathlib.Path, kind: str) -> dict:
    result = json.loads(path.read_text("utf-8"))
    return {
        "kind": kind,
        "seed": result["seed"],
        "cell": path.parent.name if kind == "random" else "",
        "test_error": result["test"]["error"],
        "images": result["test"]["images"],
        "parameters": result["parameters"],
        "seconds": result["seconds"],
    }


def _alpha(search: pathlib.Path) -> dict:
    """Returns the entropies of the mixing weights, first and last, and seconds."""
    records = [
        r for r in read_metrics(search / "metrics.jsonl") if r["kind"] == "epoch"
    ]
    names = [name for name in records[-1] if name.startswith("entropy")]
    result = json.loads((search / "result.json").read_text("utf-8"))
    return {
        "entropy_first": float(np.mean([records[0][name] for name in names])),
        "entropy_last": float(np.mean([records[-1][name] for name in names])),
        "search_seconds": result["seconds"],
    }


def table(records: list[dict]) -> str:
    """Returns Markdown: errors of both kinds, and their difference."""
    errors = {
        kind: [100 * r["test_error"] for r in records if r["kind"] == kind]
        for kind in ("searched", "random")
    }
    lines = ["| cells | trainings | test error, % | each |", "|---|---|---|---|"]
    for kind, values in errors.items():
        if values:
            each = ", ".join(f"{value:.2f}" for value in values)
            lines.append(f"| {kind} | {len(values)} | {_spread(values)} | {each} |")
    if min(map(len, errors.values())) > 1:
        lines += ["", difference(errors["searched"], errors["random"])]
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def difference(first: list[float], second: list[float]) -> str:
    """Returns the difference of the means with its standard error (Welch)."""
    variance = sum(statistics.variance(v) / len(v) for v in (first, second))
    gap = statistics.mean(first) - statistics.mean(second)
    return (
        f"Difference of the means: {gap:+.2f} points, standard error "
        f"{math.sqrt(variance):.2f}."
    )
