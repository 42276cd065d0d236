"""Peak memory and time of a search step: plain, and in each way that saves.

    python -m benchmarks.memory --out=benchmarks/results

Each row is a process of its own (benchmarks/search_step.py), one after the
other. Adds the rows that are not there yet to OUT/memory.jsonl, so that the
same command goes on where it was, and other sizes join them; writes
OUT/memory.md, in which the estimate that train.search prints stands beside
what was measured.
"""

from __future__ import annotations

from darts_tf.run import cli, quiet_tensorflow  # isort: skip  # noqa: F401

import itertools
import json
import pathlib
import subprocess
import sys

from absl import flags

from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.run.search_flags import METHODS
from train import memory

WAYS = {
    "plain": {},
    "--recompute": {"recompute": True},
    "--micro_batches=2": {"micro_batches": 2},
    "--partial_channels=4": {"partial_channels": 4},
}
USUAL = {"recompute": False, "micro_batches": 1, "partial_channels": 1}
HEAD = (
    "| channels, cells, batch | method | | peak (GB) | estimate (GB) | off | "
    "a step (s) | first step (s) |"
)

flags.DEFINE_string("out", None, "folder of the results", required=True)
flags.DEFINE_integer("channels", 8, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 4, "of the supernet", lower_bound=3)
flags.DEFINE_list("batches", ["8", "32"], "images of a step")
flags.DEFINE_list("methods", ["first_order"], "of alpha")
flags.DEFINE_list("ways", list(WAYS), "to search")
flags.DEFINE_integer("steps", 3, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Measures what is left, then the table."""
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "memory.jsonl"
    rows = read(path)
    known = [{n: row.get(n) for n in point} for row in rows
             for point in points()[:1]]  # fmt: skip
    for point in points():
        if point not in known:
            rows.append(measured(point))
            text = "".join(json.dumps(row) + "\n" for row in rows)
            write_atomic(path, text)
            print(text.splitlines()[-1], flush=True)
    text = table(rows)
    write_atomic(folder / "memory.md", text)
    print(text)


def points() -> list[dict]:
    """What the flags ask for, as flags of benchmarks/search_step.py.

    Raises:
      InputError: no such method, way or batch.
    """
    for given, known in ((FLAGS.methods, METHODS), (FLAGS.ways, WAYS)):
        for name in given:
            if name not in known:
                raise InputError(
                    f"unknown {name!r}; there are {', '.join(known)}"
                )
    if not all(batch.isdecimal() for batch in FLAGS.batches):
        raise InputError(f"--batches needs numbers; received {FLAGS.batches}")
    sizes = {"channels": FLAGS.channels, "layers": FLAGS.layers}
    grid = itertools.product(FLAGS.batches, FLAGS.methods, FLAGS.ways)
    return [
        {**sizes, "batch_size": int(batch), "method": method, **USUAL,
         **WAYS[way]}
        for batch, method, way in grid
    ]  # fmt: skip


def read(path: pathlib.Path) -> list[dict]:
    """The rows that were measured before."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def measured(point: dict) -> dict:
    """A row: what the step's process says of itself."""
    given = [f"--{n}={str(v).lower()}" for n, v in point.items()]
    command = [sys.executable, "-m", "benchmarks.search_step", *given]
    done = subprocess.run(
        [*command, f"--steps={FLAGS.steps}"], stdout=subprocess.PIPE,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: list[dict]) -> str:
    """Markdown."""
    lines = [HEAD, "|---" * HEAD.count(" |") + "|"]
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
    expected = memory.of_step(row).total / 1e9
    off = f"{expected / row['peak_gb'] - 1:+.0%}".replace("%", " %")
    cells = (
        size, row["method"], way(row), f"{row['peak_gb']:.2f}",
        f"{expected:.2f}", off, f"{row['step']:.2f}", f"{row['first_step']:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    cli.run(main)
