"""Measures search steps of several sizes, one after the other.

Each is a process of its own (benchmarks/speed/search_step.py), since memory is not
given back.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

from darts_tf.run.files import write_atomic


def read(path: pathlib.Path) -> list[dict]:
    """Reads the rows of a file of lines; none if it does not exist."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def among(rows: list[dict], point: dict) -> bool:
    """Returns True if one of the rows is that of this point."""
    return any(point.items() <= row.items() for row in rows)


def measured(path: pathlib.Path, points: list[dict], steps: int) -> list[dict]:
    """Measures missing points; returns all rows of a file of lines.

    Args:
      path: one JSON row a line; it need not exist.
      points: flags of benchmarks/speed/search_step.py by name.
      steps: timed ones, after the first.
    """
    rows = read(path)
    for point in points:
        if not among(rows, point):
            rows.append(_measured(point, steps))
            texts = [json.dumps(row) + "\n" for row in rows]
            write_atomic(path, "".join(texts))
            print(texts[-1], end="", flush=True)
    return rows


def _measured(point: dict, steps: int) -> dict:
    """Runs a step's process; returns its row."""
    arguments = [f"--{n}={str(v).lower()}" for n, v in point.items()]
    command = [sys.executable, "-m", "benchmarks.speed.search_step", *arguments]
    done = subprocess.run(
        [*command, f"--steps={steps}"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])
