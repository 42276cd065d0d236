"""A search step of ours beside plain PyTorch, alternating in one run.

    pip install -r requirements-bench.txt
    python -m benchmarks.beside_pytorch --methods=weights,first_order --out=DIR

Each column is a process of its own (step_worker.py): memory is its own, and
while one takes a step the others wait. All columns warm up, then take steps
in turn. Ratios are medians of PyTorch over ours; the better of PyTorch's two
memory layouts counts. Writes DIR/beside_pytorch.json and .md.
"""

from __future__ import annotations

from darts_tf.run import cli  # isort: skip

import json
import pathlib
import platform
import statistics
import subprocess
import sys

import psutil
from absl import flags

from benchmarks.step_worker import COLUMNS, METHODS
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic, write_json_atomic

flags.DEFINE_list("methods", list(METHODS), "rows of the table")
flags.DEFINE_list("columns", list(COLUMNS[:3]), "columns of the table")
flags.DEFINE_integer("channels", 16, "of the supernet", lower_bound=1)
flags.DEFINE_integer("layers", 8, "of the supernet", lower_bound=3)
flags.DEFINE_integer("batch_size", 16, "images", lower_bound=1)
flags.DEFINE_integer("threads", 0, "of PyTorch (0: its own choice)", 0)
flags.DEFINE_integer("warm_up", 2, "steps that are not timed", lower_bound=0)
flags.DEFINE_integer("steps", 7, "timed steps of each column", lower_bound=1)
flags.DEFINE_string("out", "benchmarks/results", "folder of the table")
FLAGS = flags.FLAGS


class Worker:
    """A column's process."""

    def __init__(self, column: str, method: str):
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", *program(column, method)),
                f"--channels={FLAGS.channels}",
                f"--layers={FLAGS.layers}",
                f"--batch_size={FLAGS.batch_size}",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.first_step = self._read()["first_step"]

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise InputError(
                "a worker of the benchmark ended early; its own words are "
                "above (is requirements-bench.txt installed?)"
            )
        return json.loads(line)

    def step(self) -> dict:
        """Seconds of one step."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def end(self) -> float:
        """Ends it; its peak memory, GB."""
        self._process.stdin.close()
        return self._read()["peak_gb"]


def program(column: str, method: str) -> list[str]:
    """A column's module, with the flags that only its kind has."""
    if column != "ours":
        return [
            *("benchmarks.torch_step", f"--column={column}"),
            *(f"--method={method}", f"--threads={FLAGS.threads}"),
        ]
    ours = ["benchmarks.our_step", "--steps=1000"]  # never at its end
    if method == "weights":
        return [*ours, "--weights_only"]
    return [*ours, f"--method={method}"]


def row(method: str) -> dict[str, dict[str, float]]:
    """What each column measured."""
    workers = {column: Worker(column, method) for column in FLAGS.columns}
    for _ in range(FLAGS.warm_up):
        for worker in workers.values():
            worker.step()
    taken = {column: [] for column in workers}
    for _ in range(FLAGS.steps):
        for column, worker in workers.items():
            taken[column].append(worker.step())
    return {
        column: {
            "step": median(taken[column], "seconds"),
            "step_cpu": median(taken[column], "cpu_seconds"),
            "first_step": worker.first_step,
            "peak_gb": worker.end(),
        }
        for column, worker in workers.items()
    }


def median(steps, name: str) -> float:
    """Of one number of all steps."""
    return statistics.median(step[name] for step in steps)


def ratio(columns, name: str) -> float | None:
    """The better of PyTorch's two layouts over ours."""
    plain = [c for c in COLUMNS[1:3] if c in columns]
    if not plain or "ours" not in columns:
        return None
    best = min(columns[c][name] for c in plain)
    return best / columns["ours"][name]


def as_table(rows) -> str:
    """Markdown."""
    lines = [
        "| step | column | seconds a step | CPU seconds | to the first step, "
        "s | peak, GB | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, columns in rows.items():
        for column, seen in columns.items():
            times = f"{ratio(columns, 'step'):.2f}" if (
                column == "ours" and ratio(columns, "step")
            ) else ""  # fmt: skip
            lines.append(
                f"| {method} | {column} | {seen['step']:.2f} | "
                f"{seen['step_cpu']:.2f} | {seen['first_step']:.1f} | "
                f"{seen['peak_gb']:.2f} | {times} |"
            )
    return "\n".join(lines) + "\n"


def main(_) -> None:
    """All rows; each is written as soon as it is measured."""
    for name, given, allowed in (
        ("methods", FLAGS.methods, METHODS),
        ("columns", FLAGS.columns, COLUMNS),
    ):
        if unknown := set(given) - set(allowed):
            raise InputError(
                f"--{name} takes {', '.join(allowed)}; received "
                f"{', '.join(sorted(unknown))}"
            )
    out = pathlib.Path(FLAGS.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for method in FLAGS.methods:
        rows[method] = row(method)
        result = {
            "machine": f"{platform.machine()}, {psutil.cpu_count()} CPUs",
            "channels": FLAGS.channels,
            "layers": FLAGS.layers,
            "batch_size": FLAGS.batch_size,
            "steps": FLAGS.steps,
            "rows": rows,
        }
        write_json_atomic(out / "beside_pytorch.json", result)
        write_atomic(out / "beside_pytorch.md", as_table(rows))
    print(as_table(rows))


if __name__ == "__main__":
    cli.run(main)
