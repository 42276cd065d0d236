"""Measures memory and time of a search step, plain and in each way that saves.

    python -m benchmarks.speed.memory --out=benchmarks/speed/results

Each row is a process of its own (benchmarks/speed/search_step.py), one after the
other; with --space=darts_recurrent of language. Adds the rows that are not
there yet to OUT/memory.jsonl, so that the same command goes on where it was,
and other sizes join them; writes OUT/memory.md, in which the estimate that
train.search prints stands beside what was measured.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  # noqa: F401
from darts_tf.run.process import quiet_tensorflow  # isort: skip  # noqa: F401

import itertools
import pathlib

from absl import flags

from benchmarks.speed import size_flags
from benchmarks.speed.memory_report import (
    IMAGE_SIZES,
    TEXT_SIZES,
    TEXT_WAYS,
    USUAL,
    WAYS,
    report,
)
from benchmarks.speed.step_sizes import measured
from darts_tf import config
from darts_tf.errors import InputError
from darts_tf.run.files import write_atomic
from darts_tf.space import conv, recurrent

flags.DEFINE_string("out", None, "folder of the results", required=True)
flags.DEFINE_enum(
    "space",
    conv.SPACE.name,
    (conv.SPACE.name, recurrent.SPACE.name),
    "what is searched",
)
size_flags.define_sizes(channels=8, layers=4, hidden_size=128, words=2000)
flags.adopt_module_key_flags(size_flags)
flags.DEFINE_list("batches", ["8", "32"], "images or sequences of a step")
flags.DEFINE_list("methods", ["first_order"], "of alpha")
flags.DEFINE_list("ways", None, "to search; unset: all that the space has")
flags.DEFINE_integer("steps", 3, "timed, after the first", lower_bound=1)
FLAGS = flags.FLAGS


def main(_) -> None:
    """Measures missing points, then writes the table."""
    folder = pathlib.Path(FLAGS.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "memory.jsonl"
    measured(path, points(), FLAGS.steps)
    text = report(folder)
    write_atomic(folder / "memory.md", text)
    print(text)


def points() -> list[dict]:
    """Returns the points to measure, as flags of benchmarks/speed/search_step.py.

    Raises:
      InputError: no such method, way or batch.
    """
    text = FLAGS.space == recurrent.SPACE.name
    known_ways = TEXT_WAYS if text else WAYS
    ways = list(known_ways) if FLAGS.ways is None else FLAGS.ways
    for chosen, known in (
        (FLAGS.methods, config.names(config.Method)),
        (ways, known_ways),
    ):
        for name in chosen:
            if name not in known:
                raise InputError(f"unknown {name!r}; there are {', '.join(known)}")
    if not all(batch.isdecimal() for batch in FLAGS.batches):
        raise InputError(f"--batches needs numbers; received {FLAGS.batches}")
    names = TEXT_SIZES if text else IMAGE_SIZES
    usual = {"micro_batches": 1} if text else USUAL
    sizes = {n: FLAGS[n].value for n in names if n in FLAGS}
    grid = itertools.product(FLAGS.batches, FLAGS.methods, ways)
    return [
        {
            "space": FLAGS.space,
            **sizes,
            "batch_size": int(batch),
            "method": method,
            **usual,
            **WAYS[way],
        }
        for batch, method, way in grid
    ]


if __name__ == "__main__":
    entry_point.run(main)
