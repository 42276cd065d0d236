"""Checks and times search steps on a GPU in one table, for benchmarks/speed/gpu.sh.

Each row is a process of its own and the only one on the GPU. The check
(gpu_check.py) comes first. A row that fails, or for which no time is left,
says so, and the others go on; DIR/gpu.json and DIR/gpu.md are written after
each. Seconds a step are medians; the ratio is that of the better of PyTorch's
two memory layouts to this row, of the same method.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip

import json
import os
import pathlib
import sys
import time

from absl import flags

from benchmarks.speed.gpu_table import PYTORCH, as_table, reason, run, summary
from benchmarks.speed.step_worker import METHODS
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic, write_json_atomic

OURS = {
    "graph": ("--jit=off",),
    "mixed_bfloat16": ("--jit=off", "--precision=mixed_bfloat16"),
    "mixed_float16": ("--jit=off", "--precision=mixed_float16"),
    "XLA": ("--jit=on",),
    "XLA_mixed_bfloat16": ("--jit=on", "--precision=mixed_bfloat16"),
}
ORDER = ("graph", *PYTORCH, *list(OURS)[1:])
"""Usual order of the columns; what takes longest to compile comes last."""

PAPERS = {"channels": 16, "layers": 8, "batch_size": 64}
SMALL = {"channels": 2, "layers": 3, "batch_size": 4}
CHECKED = {"channels": 8, "layers": 3, "batch_size": 16}

flags.DEFINE_enum("device", "gpu", ("gpu", "cpu"), "cpu: to try the program")
flags.DEFINE_bool("small", False, "a tiny supernet in the place of the paper's")
flags.DEFINE_list("methods", list(METHODS[1:]), "rows of the table")
flags.DEFINE_list("columns", list(ORDER), "measured of each, in this order")
flags.DEFINE_integer("steps", 10, "timed steps of each row", lower_bound=1)
flags.DEFINE_integer("row_seconds", 150, "that a row may take", lower_bound=1)
flags.DEFINE_integer("seconds", 570, "that all may take", lower_bound=1)
flags.DEFINE_string("out", "benchmarks/speed/results", "folder of the table")
FLAGS = flags.FLAGS


def main(_) -> int:
    """Runs the check, then the rows; returns 1 if the check failed."""
    check_lists()
    end = time.monotonic() + FLAGS.seconds
    if FLAGS.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # also of what is started
    checked = run(check_command(), "", seconds_left(end))
    if checked["code"] == entry_point.USAGE_CODE:
        print(checked["errors"][-1], file=sys.stderr)
        return entry_point.USAGE_CODE
    result = {
        "device": FLAGS.device,
        "sizes": sizes(),
        "check": checked["lines"][-1] if checked["lines"] else None,
        "check_failed": reason(checked),
        "rows": [],
    }
    out = pathlib.Path(FLAGS.out)
    out.mkdir(parents=True, exist_ok=True)
    for column in FLAGS.columns:
        for method in FLAGS.methods:
            result["rows"].append(measured(method, column, end))
            keep(out, result)
    print(as_table(result))
    print(json.dumps(result))
    return 1 if result["check_failed"] else 0


def check_lists() -> None:
    """Refuses methods and columns that do not exist."""
    for name, allowed in (("methods", METHODS), ("columns", ORDER)):
        if unknown := set(FLAGS[name].value) - set(allowed):
            raise InputError(
                f"--{name} takes {', '.join(allowed)}; received "
                f"{', '.join(sorted(unknown))}"
            )


def sizes() -> dict[str, int]:
    """Returns the sizes of the supernet that is timed."""
    return SMALL if FLAGS.small else PAPERS


def keep(out: pathlib.Path, result: dict) -> None:
    """Writes the results so far."""
    write_json_atomic(out / "gpu.json", result)
    write_atomic(out / "gpu.md", as_table(result))


def as_flags(values: dict[str, object]) -> list[str]:
    """Returns --name=value of each."""
    return [f"--{name}={value}" for name, value in values.items()]


def check_command() -> list[str]:
    """Returns the command line of the check: its module and flags."""
    values = (SMALL if FLAGS.small else CHECKED) | {"device": FLAGS.device}
    return ["benchmarks.speed.gpu_check", *as_flags(values)]


def row_command(method: str, column: str) -> list[str]:
    """Returns the command line of a row: its module and flags."""
    arguments = as_flags({"method": method} | sizes())
    if column in PYTORCH:
        device = "cuda" if FLAGS.device == "gpu" else "cpu"
        torch_arguments = [f"--column={column}", f"--device={device}"]
        return ["benchmarks.speed.torch_step", *arguments, *torch_arguments]
    return ["benchmarks.speed.our_step", "--steps=1000", *arguments, *OURS[column]]


def measured(method: str, column: str, end: float) -> dict[str, object]:
    """Measures a row: its numbers, or the reason why there are none."""
    text = "\n" * (FLAGS.steps + 1)
    done = run(row_command(method, column), text, seconds_left(end))
    row = {"method": method, "column": column}
    if failed := reason(done):
        return row | {"failed": failed}
    return row | summary(done["lines"])


def seconds_left(end: float) -> float:
    """Returns the seconds that a row may take now."""
    return min(FLAGS.row_seconds, end - time.monotonic())


if __name__ == "__main__":
    entry_point.run(main)
