"""Profiles a search step: seconds by operation.

    python -m benchmarks.speed.profile_step --method=first_order --batch_size=16

One step, after the first, under TensorFlow's profiler; its sizes are flags of
benchmarks/speed/search_step.py. Prints a Markdown table: where there is a GPU, of
what that did (kernels, copies), else of TensorFlow's operations, whose seconds
are summed over all threads, so that they may exceed the step's. The trace lies
in --trace, for TensorBoard's profile page, where one is given.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import collections
import os
import pathlib
import tempfile
import time

import tensorflow as tf
from absl import flags

from benchmarks.speed import search_step, step_times
from darts_tf.programs import setup

# The generated module can be imported by any path but the package's own.
from tensorflow.tsl.profiler.protobuf import xplane_pb2  # isort: skip

EXECUTORS = {"Process", "Run", "Start", "Done"}
"""Events that have others in them, or none of the work."""

flags.DEFINE_string("trace", None, "folder of the profiler's trace")
flags.DEFINE_integer("rows", 25, "operations that are told apart")
FLAGS = flags.FLAGS


def main(_) -> None:
    """Prints the table of one step."""
    setup.own_process()
    setup.supernet_options(FLAGS.space)
    loop = search_step.build_loop()
    for _ in range(2):
        step_times.advance(loop)
    with tempfile.TemporaryDirectory() as scratch:
        folder = FLAGS.trace or scratch
        start = time.monotonic()
        with tf.profiler.experimental.Profile(folder):
            step_times.advance(loop)
            seconds = time.monotonic() - start
        print(table(by_operation(newest(folder)), seconds, FLAGS.rows))


def newest(folder: str) -> pathlib.Path:
    """Returns the trace that was written last."""
    traces = pathlib.Path(folder).glob("**/*.xplane.pb")
    return max(traces, key=os.path.getmtime)


def by_operation(path: pathlib.Path) -> dict[str, tuple[float, int]]:
    """Returns (seconds, calls) of each GPU kernel; without a GPU, of each operation.

    Args:
      path: a trace, *.xplane.pb.
    """
    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    gpus = [p for p in space.planes if p.name.startswith("/device:GPU")]
    named = _kernel if gpus else _operation
    spent = collections.defaultdict(lambda: [0.0, 0])
    for plane in gpus or space.planes:
        names = {n: m.name for n, m in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                kind = named(line.name, names[event.metadata_id])
                if kind:
                    spent[kind][0] += event.duration_ps * 1e-12
                    spent[kind][1] += 1
    return {kind: tuple(values) for kind, values in spent.items()}


def _operation(_, event: str) -> str | None:
    """Returns the type of operation; an executor names an event "node:type"."""
    _, colon, kind = event.rpartition(":")
    named = colon and kind.isidentifier() and kind not in EXECUTORS
    return kind if named else None


def _kernel(line: str, event: str) -> str | None:
    """Returns a kernel's name without its template; None for lines that repeat it."""
    if not line.startswith("Stream"):
        return None
    return event.removeprefix("void ").partition("<")[0][:70]


def table(operations: dict, seconds: float, rows: int) -> str:
    """Returns Markdown, the most expensive operations first."""
    every = sorted(operations.items(), key=lambda item: -item[1][0])
    rest = every[rows:]
    if rest:
        every = [
            *every[:rows],
            ("all others", tuple(map(sum, zip(*(v for _, v in rest))))),
        ]
    total = sum(spent for _, (spent, _) in every)
    lines = [
        f"A step of {seconds:.2f} s; {total:.2f} s in operations, over all threads",
        "",
        "| operation | seconds | percent | calls |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {kind} | {spent:.3f} | {100 * spent / total:.1f} | {calls:,} |"
        for kind, (spent, calls) in every
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    entry_point.run(main)
