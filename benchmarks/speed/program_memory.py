"""Measures the peak memory of whole programs beside their own estimates.

    python -m benchmarks.speed.program_memory --out=benchmarks/speed/results

Small runs of every program that tells it, on the CPU and on the data that
comes with the package, one after the other in a folder that is thrown away.
Adds the rows that are not there yet to OUT/program_memory.jsonl, so that the
same command goes on where it was, and writes OUT/memory.md, as
benchmarks/speed/memory.py does.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from absl import flags

from benchmarks.speed import memory_report, step_sizes
from darts_tf.run.files import write_atomic

flags.DEFINE_string("out", None, "folder of the results", required=True)
FLAGS = flags.FLAGS

DIGITS, TOPICS = "configs/digits", "configs/topics"
SEARCH = ("train.search", f"--flagfile={DIGITS}/search.flags", "--epochs=1")
SHARING = (
    "train.search",
    "--strategy=random_weight_sharing",
    "--dataset=digits",
    "--channels=4",
    "--layers=3",
    "--batch_size=32",
    "--epochs=1",
    "--noflip",
    "--crop_padding=1",
    "--final_evaluations=2",
    "--measured_batches=2",
)
TEXT = "train.evaluate", f"--flagfile={TOPICS}/evaluate.flags", "--epochs=1"
RUNS = {
    "search": SEARCH,
    "perturbation": (
        "train.derive",
        "--method=perturbation",
        "--tune_epochs=1",
        "--measured_batches=1",
    ),
    "sharing": SHARING,
    "evaluate": (
        "train.evaluate",
        f"--flagfile={DIGITS}/evaluate.flags",
        "--epochs=1",
        "--genotype=DARTS_V2",
    ),
    "text_search": (
        "train.search",
        f"--flagfile={TOPICS}/search.flags",
        "--epochs=1",
    ),
    "text_evaluate": (*TEXT, "--genotype=DARTS_V2"),
    "large_text_evaluate": (
        *TEXT,
        "--genotype=DARTS_V2",
        "--hidden_size=200",
        "--batch_size=64",
    ),
}
"""A program and its flags for each folder; a derivation goes into the
search's own."""

TOLD = re.compile(r"^memory: about ([\d.]+) GB", re.MULTILINE)


def main(_) -> None:
    """Does missing runs, then writes the table."""
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "program_memory.jsonl"
    rows = step_sizes.read(path)
    known = {row["run"] for row in rows}
    with tempfile.TemporaryDirectory() as runs:
        for name in missing(known):
            row = measured(name, pathlib.Path(runs))
            if name not in known:
                rows.append(row)
                write_atomic(path, "".join(json.dumps(row) + "\n" for row in rows))
    text = memory_report.report(folder)
    write_atomic(folder / "memory.md", text)
    print(text)


def missing(known: set[str]) -> list[str]:
    """Returns the runs to do: those not known, and the search of a derivation."""
    left = [name for name in RUNS if name not in known]
    if "perturbation" in left and "search" not in left:
        left.insert(0, "search")
    return left


def measured(name: str, runs: pathlib.Path) -> dict:
    """Measures a run; the program's own lines go to stderr if it fails."""
    workdir = runs / ("search" if name == "perturbation" else name)
    module, *arguments = RUNS[name]
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryFile("w+") as output:
        started = subprocess.Popen(
            [*command, f"--workdir={workdir}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        )
        _, status, used = os.wait4(started.pid, 0)
        output.seek(0)
        text = output.read()
    if status:
        sys.stderr.write(text)
        raise SystemExit(1)
    (estimate,) = TOLD.findall(text)
    return {
        "run": name,
        "command": " ".join([module, *arguments]),
        "told_gb": float(estimate),
        "peak_gb": round(used.ru_maxrss / 1e6, 2),
    }


if __name__ == "__main__":
    entry_point.run(main)
