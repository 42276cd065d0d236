"""Trains the cells of digits searches beside random cells, in the same way.

    python -m benchmarks.studies.digits.measure --out=runs/digits_study

Pipelines of the quick start, one a seed; that of the first seed trains the random
cells too. Started again, the same command goes on where it was. Writes
digits.jsonl, one line a training, and prints the table of docs/results.md.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import math
import pathlib
import statistics
from collections.abc import Iterator

import numpy as np
from absl import flags

from darts_tf.run.files import write_atomic
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.process import children

flags.DEFINE_integer("seeds", 10, "searches, from as many seeds", lower_bound=1)
flags.DEFINE_integer("random_cells", 5, "random cells", lower_bound=2)
flags.DEFINE_string("out", None, "folder of the study", required=True)
flags.DEFINE_string("results", str(pathlib.Path(__file__).parent), "for digits.jsonl")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs what is left; the first that fails or stops ends it."""
    out = pathlib.Path(FLAGS.out).expanduser()
    with children.Parent() as parent:
        for seed in range(FLAGS.seeds):
            child = pipeline(out, seed)
            if child.finished:
                continue
            ended = parent.run(child)
            if not ended.finished:
                report(out)
                return parent.code(ended)
    report(out)
    return 0


def pipeline(out: pathlib.Path, seed: int) -> children.Child:
    """Returns the pipeline of a seed; the first one trains the random cells."""
    root = out / f"seed_{seed}"
    count = 0 if seed else FLAGS.random_cells
    command = (
        *("-m", "darts_tf.cli", "pipeline", f"--seed={seed}", f"--workdir={root}"),
        *("--nocompare_published", f"--compare_random_cells={count}"),
    )
    last = f"compare/random_{count - 1}" if count else "evaluate"
    leaves = root / last / "result.json"
    return children.Child(f"seed_{seed}", command, leaves)


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


def report(out: pathlib.Path) -> None:
    """Writes digits.jsonl and prints the table."""
    records = [*trainings(out)]
    if not records:
        return
    text = "".join(json.dumps(record) + "\n" for record in records)
    write_atomic(pathlib.Path(FLAGS.results) / "digits.jsonl", text)
    print(table(records))


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


if __name__ == "__main__":
    entry_point.run(main)
