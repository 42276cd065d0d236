"""Makes the tables of benchmarks/speed/memory.py: measured beside estimated."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import tensorflow as tf

from benchmarks.speed import step_sizes
from darts_tf.config import Method, SearchConfig, names
from darts_tf.networks.language import LanguageModel
from darts_tf.networks.recurrent import MixedCell
from darts_tf.programs import images
from darts_tf.programs.memory_report import estimates
from darts_tf.space import recurrent
from darts_tf.space.registry import space_by_name

WAYS = {
    "plain": {},
    "--recompute": {"recompute": True},
    "--micro_batches=2": {"micro_batches": 2},
    "--partial_channels=4": {"partial_channels": 4},
    "--lambda_regularizer=cosine": {"lambda_regularizer": "cosine"},
    "--precision=mixed_bfloat16": {"precision": "mixed_bfloat16"},
    "--precision=mixed_float16": {"precision": "mixed_float16"},
}
USUAL = {
    "recompute": False,
    "micro_batches": 1,
    "partial_channels": 1,
    "lambda_regularizer": "none",
    "precision": "float32",
}
TEXT_WAYS = {
    name: changes
    for name, changes in WAYS.items()
    if changes.keys() <= {"micro_batches"}
}
IMAGE_SIZES = {"channels": "channels", "layers": "cells", "batch_size": "batch"}
TEXT_SIZES = {
    "hidden_size": "hidden",
    "words": "words",
    "bptt": "window",
    "batch_size": "batch",
}
PREFACE = """# Memory of a search step

`python -m benchmarks.speed.memory --out=benchmarks/speed/results`, with other sizes and
methods as flags: random images of 32 x 32, or random words, a process each,
one thread, cores that other work shared (hence CPU seconds, which that
inflates too). "peak" is the largest resident size of the process, "estimate"
what train.search prints before its first step. Its factors
(darts_tf/networks/footprint/memory.py) were fitted to these rows, and to those of
growth.jsonl and beside_pytorch*.md.
Rows without seconds were measured while several other jobs shared the core,
too slow to be timed.
"""
TEXT_PREFACE = """
## Language

The same with `--space=darts_recurrent`: the search network of
`darts_recurrent`, with dropout.
"""
PROGRAMS_PREFACE = """
## Whole programs

`python -m benchmarks.speed.program_memory --out=benchmarks/speed/results`: one epoch of
small runs; "told" is what the program prints, with one decimal.
"""
MEASURED = "peak (GB) | estimate (GB) | off"


def report(folder: pathlib.Path) -> str:
    """Returns Markdown, of the measurements in a folder so far."""
    rows = step_sizes.read(folder / "memory.jsonl")
    runs = step_sizes.read(folder / "program_memory.jsonl")
    return table(rows) + (program_table(runs) if runs else "")


def table(rows: list[dict]) -> str:
    """Returns the tables of search steps, images before text."""
    text = [row for row in rows if row["space"] == recurrent.SPACE.name]
    parts = [PREFACE, _table([r for r in rows if r not in text], IMAGE_SIZES)]
    if text:
        parts += [TEXT_PREFACE, _table(text, TEXT_SIZES)]
    return "\n".join(parts)


def _table(rows: list[dict], sizes: dict[str, str]) -> str:
    head = f"| {', '.join(sizes.values())} | method | | {MEASURED} |"
    head += " a step (CPU s) | first step (CPU s) |"
    lines = [head, _rule(head)]
    lines += [line(row, sizes) for row in ordered(rows, sizes)]
    return "\n".join(lines) + "\n"


def _rule(head: str) -> str:
    return "|---" * head.count(" |") + "|"


def ordered(rows: list[dict], sizes) -> list[dict]:
    """Sorts rows by size, then by method, then as WAYS."""
    return sorted(
        rows,
        key=lambda row: (
            *(row[name] for name in sizes),
            names(Method).index(row["method"]),
            list(WAYS).index(way(row)),
        ),
    )


def way(row: dict) -> str:
    """Returns the one of WAYS that a row was measured in."""
    options = USUAL | {n: row[n] for n in USUAL if n in row}
    return next(n for n, changes in WAYS.items() if {**USUAL, **changes} == options)


def line(row: dict, sizes) -> str:
    """Returns a row of the table."""
    expected = estimate(row)
    cells = (
        ", ".join(str(row[name]) for name in sizes),
        row["method"],
        way(row),
        f"{row['peak_gb']:.2f}",
        f"{expected:.2f}",
        off(expected, row["peak_gb"]),
        seconds(row, "step_cpu", ".2f"),
        seconds(row, "first_step_cpu", ".0f"),
    )
    return f"| {' | '.join(cells)} |"


def seconds(row: dict, name: str, form: str) -> str:
    """Returns CPU seconds as text, "-" if they were not measured."""
    return f"{row[name]:{form}}" if name in row else "-"


def estimate(row: dict) -> float:
    """Returns the gigabytes that a search of the row's sizes prints."""
    if row["space"] == recurrent.SPACE.name:
        model = _language_model(row["hidden_size"], row["words"])
    else:
        sizes = row["channels"], row["layers"], row.get("partial_channels", 1)
        model = _supernet(row["space"], *sizes)
    fields = {field.name for field in dataclasses.fields(SearchConfig)}
    values = {n: v for n, v in row.items() if n in fields and v is not None}
    method = values.pop("method")  # "weights" is none of a search
    return sum(estimates(model, method, SearchConfig(**values), 1)[""]) / 1e9


@functools.cache
def _supernet(space: str, channels: int, layers: int, partial_channels: int):
    model = images.supernet(
        space_by_name(space), channels, layers, 10, partial_channels=partial_channels
    )
    model.build((None, 32, 32, 3))
    return model


@functools.cache
def _language_model(hidden_size: int, words: int) -> LanguageModel:
    model = LanguageModel(MixedCell(recurrent.SPACE, hidden_size), words)
    weights = tf.ones(model.cell.spec.alpha_shape)
    model(tf.zeros((1, 1), tf.int32), tf.zeros((1, hidden_size)), weights=weights)
    return model


def off(expected: float, peak: float) -> str:
    """Returns the error of an estimate, in percent of the peak."""
    return f"{expected / peak - 1:+.0%}".replace("%", " %")


def program_table(runs: list[dict]) -> str:
    """Returns the table of whole programs."""
    head = f"| program | {MEASURED.replace('estimate', 'told')} |"
    lines = [PROGRAMS_PREFACE, head, _rule(head)]
    for run in runs:
        estimate, peak = run["told_gb"], run["peak_gb"]
        cells = f"`{run['command']}`", f"{peak:.2f}", f"{estimate:.1f}"
        lines.append(f"| {' | '.join(cells)} | {off(estimate, peak)} |")
    return "\n".join(lines) + "\n"
