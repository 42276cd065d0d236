"""The table of benchmarks/memory.py: measured beside estimated."""

from __future__ import annotations

from darts_tf.run.search_flags import METHODS
from train import memory

WAYS = {
    "plain": {},
    "--recompute": {"recompute": True},
    "--micro_batches=2": {"micro_batches": 2},
    "--partial_channels=4": {"partial_channels": 4},
}
USUAL = {"recompute": False, "micro_batches": 1, "partial_channels": 1}
PREFACE = """# Memory of a search step

`python -m benchmarks.memory --out=benchmarks/results`, with other sizes and
methods as flags: random images of 32 x 32, a process each, one thread, cores
that other work shared (hence CPU seconds, which that inflates too). "peak" is
the largest resident size of the process, "estimate" what train.search tells
before it starts. Its constants (darts_tf/networks/memory.py) were fitted to
the plain rows; the others are predictions.
"""
HEAD = (
    "| channels, cells, batch | method | | peak (GB) | estimate (GB) | off | "
    "a step (CPU s) | first step (CPU s) |"
)


def table(rows: list[dict]) -> str:
    """Markdown."""
    lines = [PREFACE, HEAD, "|---" * HEAD.count(" |") + "|"]
    return "\n".join([*lines, *map(line, ordered(rows))]) + "\n"


def ordered(rows: list[dict]) -> list[dict]:
    """By size, then by method, then as WAYS."""
    names = ("channels", "layers", "batch_size")
    return sorted(
        rows,
        key=lambda row: (
            *(row[name] for name in names),
            METHODS.index(row["method"]),
            list(WAYS).index(way(row)),
        ),
    )


def way(row: dict) -> str:
    """The one of WAYS that a row was measured in."""
    given = {n: row[n] for n in USUAL}
    return next(n for n, more in WAYS.items() if {**USUAL, **more} == given)


def line(row: dict) -> str:
    """A row of the table."""
    size = f"{row['channels']}, {row['layers']}, {row['batch_size']}"
    expected = memory.step_of(row).memory().total / 1e9
    off = f"{expected / row['peak_gb'] - 1:+.0%}".replace("%", " %")
    cells = (
        size, row["method"], way(row), f"{row['peak_gb']:.2f}",
        f"{expected:.2f}", off, f"{row['step_cpu']:.2f}",
        f"{row['first_step_cpu']:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
