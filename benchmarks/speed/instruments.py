"""Measures the time of each instrument of a search, beside a step.

    python -m benchmarks.speed.instruments --channels=8 --layers=5 --batch_size=16

Random images of CIFAR-10's size, as benchmarks.speed.search_step, whose flags it
shares. An instrument is called once an epoch; "percent" is what it adds to an
epoch of --epoch_steps steps. The first call, which compiles a graph, is apart.
"seconds" are those of the processor over all threads, which say more on a
busy machine; "wall" are those of the clock. Prints one line of JSON each, and
a Markdown table.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import functools
import json
import statistics
import time

from absl import flags

from benchmarks.speed import search_step, step_times
from darts_tf.programs import setup
from darts_tf.strategy.darts import search_loop
from darts_tf.strategy.diagnostics import instruments

FLAGS = flags.FLAGS
flags.DEFINE_integer(
    "epoch_steps", 390, "of an epoch (CIFAR-10 at batch 64)", lower_bound=1
)
flags.DEFINE_integer("calls", 3, "timed, after the first", lower_bound=1)
HEAD = "| | first call (s) | a call (s) | in steps | percent of an epoch |"


def main(_) -> None:
    """Measures a step, then each instrument."""
    setup.own_process()
    setup.supernet_options(FLAGS.space)
    replicas = search_step.chosen_replicas()
    task = search_step.image_task(replicas)
    settings = search_loop.SearchSettings(
        FLAGS.method, 1, FLAGS.epoch_steps, FLAGS.batch_size
    )
    loop = search_loop.Search(task, settings, replicas)
    rows = [row("step", lambda: step_times.advance(loop), FLAGS.steps)]
    for name, kind in instruments.KINDS.items():
        instrument = kind(task, replicas)
        rows.append(row(name, functools.partial(instrument, loop), FLAGS.calls))
    print("\n".join([HEAD, "|---" * 5 + "|", *map(line(rows[0]), rows)]))


def row(name: str, call, calls: int) -> dict:
    """Measures the seconds of the first call, and the medians of those after it."""
    times, value = [], None
    for _ in range(1 + calls):
        wall, processor = time.monotonic(), time.process_time()
        value = call()
        wall = time.monotonic() - wall
        times.append((time.process_time() - processor, wall))
    seconds, walls = zip(*times[1:])
    result = {
        "what": name,
        "first": round(times[0][0], 2),
        "seconds": round(statistics.median(seconds), 4),
        "wall": round(statistics.median(walls), 4),
    }
    print(json.dumps(result | {"shown": value}), flush=True)
    return result


def line(step: dict):
    """Returns a function that writes a row of the table, in terms of a step."""

    def text(result: dict) -> str:
        steps = result["seconds"] / step["seconds"]
        return (
            f"| {result['what']} | {result['first']:.1f} | "
            f"{result['seconds']:.3f} | {steps:.2f} | "
            f"{100 * steps / FLAGS.epoch_steps:.2f} |"
        )

    return text


if __name__ == "__main__":
    entry_point.run(main)
