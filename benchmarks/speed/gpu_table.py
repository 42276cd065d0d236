"""Runs the rows of benchmarks/speed/gpu.py, a process each, and makes their table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

PYTORCH = ("pytorch", "pytorch_channels_last")
NAMES = {
    "seconds": "step",
    "first_step": "first_step",
    "device_peak_gb": "device_peak_gb",
    "peak_gb": "peak_gb",
}
"""Names of numbers in a process's lines (step_worker.py), and in a row."""


def run(command: list[str], text: str, seconds: float) -> dict[str, object]:
    """Runs a module; returns its lines of JSON, errors and exit code (None: too late).

    Args:
      command: the module and its flags.
      text: its standard input.
      seconds: that it may take.
    """
    if seconds < 1:
        return {"code": None, "lines": [], "errors": ["no time left"]}
    usual = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            input=text,
            text=True,
            capture_output=True,
            timeout=seconds,
            env=usual | os.environ,
        )
    except subprocess.TimeoutExpired:
        errors = [f"not done after {seconds:.0f} s"]
        return {"code": None, "lines": [], "errors": errors}
    lines = [x for x in done.stdout.splitlines() if x.startswith("{")]
    errors = [x for x in done.stderr.splitlines() if x.strip()]
    return {
        "code": done.returncode,
        "lines": [json.loads(line) for line in lines],
        "errors": errors or [f"exit code {done.returncode}"],
    }


def summary(lines: list[dict]) -> dict[str, float]:
    """Returns the medians of the numbers of a process of step_worker.py.

    Without its first step, which the compilation is in, and the next one.
    """
    seen = {}
    for line in lines:
        for name in NAMES.keys() & line.keys():
            seen.setdefault(NAMES[name], []).append(line[name])
    seen["step"] = seen["step"][1:]
    return {name: statistics.median(seen[name]) for name in sorted(seen)}


def reason(done: dict[str, object]) -> str | None:
    """Returns in one line why a process has no numbers; None if it has."""
    if done["code"] == 0:
        return None
    return done["errors"][-1].removeprefix("error: ")[:200]


def ratio(rows: list[dict], row: dict) -> float | None:
    """Returns the seconds of the better of PyTorch's layouts over this row's."""
    steps = [
        other["step"]
        for other in rows
        if other["column"] in PYTORCH
        and other["method"] == row["method"]
        and "step" in other
    ]
    ours = row["column"] not in PYTORCH and "step" in row
    return min(steps) / row["step"] if steps and ours else None


def as_table(result: dict) -> str:
    """Returns Markdown: the check in a line, then the rows."""
    lines = [
        checked_line(result),
        "",
        "| method | column | seconds a step | to the first step, s | "
        "GPU memory, GB | host memory, GB | ratio to PyTorch |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        head = f"| {row['method']} | {row['column']} |"
        if "failed" in row:
            lines.append(f"{head} failed: {row['failed']} | | | | |")
            continue
        times = ratio(result["rows"], row)
        cells = [
            number(row.get("step"), 4),
            number(row.get("first_step"), 1),
            number(row.get("device_peak_gb"), 2),
            number(row.get("peak_gb"), 2),
            number(times, 2),
        ]
        lines.append(f"{head} {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def number(value: float | None, digits: int) -> str:
    """Returns a number as text, None as an empty cell."""
    return "" if value is None else f"{value:.{digits}f}"


def checked_line(result: dict) -> str:
    """Returns the check's result as a sentence."""
    if result["check"] is None:
        return f"Check against the CPU: failed: {result['check_failed']}"
    parts = [
        f"{name} {value:.1e} (at most {result['check']['tolerance'][name]})"
        + ("" if result["check"]["within"][name] else " FAILED")
        for name, value in result["check"]["difference"].items()
    ]
    return (
        f"Check against the CPU, relative differences of gradients, float32 "
        f"without TF32: {', '.join(parts)}."
    )
