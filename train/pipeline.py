"""Everything in a row: search, derive, evaluate, export.

    python -m train.pipeline --workdir=runs/digits

Each stage is a process of its own with its own folder below --workdir.
Started again, it goes on where it was; finished stages return at once.
"""

from __future__ import annotations

from darts_tf.cli import entry_point  # isort: skip  (parses and reports)

import json
import pathlib
import shlex
import sys
import time

from absl import flags

from darts_tf.cli import flags as run_flags
from darts_tf.errors import InputError
from darts_tf.run.loop.progress import duration
from darts_tf.run.process import children

FLAGS = flags.FLAGS
run_flags.define_pipeline()
flags.adopt_module_key_flags(run_flags)


def main(_) -> int:
    """Runs the stages; the first that fails or stops ends it with its code."""
    started = time.monotonic()
    root = pathlib.Path(FLAGS.workdir).expanduser()
    for name in (FLAGS.search_flags, FLAGS.evaluate_flags):
        if not pathlib.Path(name).is_file():
            raise InputError(f"{name}: no such flagfile")
    with children.Parent() as parent:
        for number, (stage, run, arguments) in enumerate(stages(root), 1):
            print(f"\n[{number}/4] train.{stage} {shlex.join(arguments)}")
            command = ("-m", f"train.{stage}", *arguments)
            child = children.Child(stage, command, run / "result.json")
            ended = parent.run(child)
            if not ended.finished:
                return parent.code(ended)
    print(summary(root, time.monotonic() - started))
    return 0


def stages(
    root: pathlib.Path,
) -> list[tuple[str, pathlib.Path, list[str]]]:
    """(entry point, folder of its run, its arguments) of each stage."""
    search, evaluation = root / "search", root / "evaluate"
    both = [f"--seed={FLAGS.seed}"]
    if FLAGS.data_dir:
        both.append(f"--data_dir={FLAGS.data_dir}")
    return [
        (
            "search",
            search,
            [f"--flagfile={FLAGS.search_flags}", f"--workdir={search}", *both],
        ),
        ("derive", search, [f"--workdir={search}"]),
        (
            "evaluate",
            evaluation,
            [
                f"--flagfile={FLAGS.evaluate_flags}",
                f"--workdir={evaluation}",
                f"--genotype={search / 'genotype.json'}",
                *both,
            ],
        ),
        ("export", evaluation, [f"--workdir={evaluation}"]),
    ]


def summary(root: pathlib.Path, seconds: float) -> str:
    """What happened, and what to type next."""
    search, evaluation = root / "search", root / "evaluate"
    result = json.loads((evaluation / "result.json").read_text("utf-8"))
    python = shlex.quote(sys.executable)
    measured = "\n".join(f"  {n:<15} {text}" for n, text in told(result))
    kind = "ptb" if "perplexity" in result["test"] else "cifar10"
    download = "" if kind == "ptb" else " --download"
    return f"""
Done in {duration(seconds)}.
  genotype        {search / "genotype.json"}
  its picture     {search / "genotype.png"}
{measured}
  SavedModel      {evaluation / "export"}
  watch           {python} -m tensorboard.main --logdir={shlex.quote(str(root))}
  next            {python} -m train.search \\
                    --flagfile=configs/{kind}/search_second_order.flags \\
                    --workdir=runs/{kind}/search --data_dir=DIR{download}"""


def told(result: dict) -> list[tuple[str, str]]:
    """What was measured, in (name, text) lines."""
    test, lines = result["test"], []
    if "error" in test:
        lines.append(("test error", f"{test['error']:.2%} of {test['images']} images"))
    else:
        words = f"{test['perplexity']:.2f} of {test['words']:,} words"
        lines.append(("test perplexity", words))
    lines.append(("parameters", f"{result['parameters']:,}"))
    if "multiply_adds" in result:
        lines.append(("multiply-adds", f"{result['multiply_adds']:,}"))
    return lines + [("it writes", line) for line in result.get("sample", [])]


if __name__ == "__main__":
    entry_point.run(main)
