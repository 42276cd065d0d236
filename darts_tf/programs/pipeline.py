"""Runs search, derivation, evaluation and export, each in its own process."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from darts_tf.config import PipelineConfig
from darts_tf.errors import InputError
from darts_tf.programs.commands import command, flagfile, quoted
from darts_tf.run.loop.progress import duration
from darts_tf.run.process import children
from darts_tf.run.workdir import Workdir


def run(config: PipelineConfig, workdir: str | Path) -> int:
    """Runs the stages; the first that fails or stops ends it.

    Returns the exit code.

    Raises:
      InputError: a flagfile is missing.
    """
    started = time.monotonic()
    root = Path(workdir).expanduser()
    search_flags = _existing(config.search_flags, "digits/search.flags")
    evaluate_flags = _existing(config.evaluate_flags, "digits/evaluate.flags")
    with children.Parent() as parent:
        for number, (stage, folder, arguments) in enumerate(
            _stages(config, root, search_flags, evaluate_flags), 1
        ):
            print(f"\n[{number}/4] train.{stage} {shlex.join(arguments)}")
            command = ("-m", "darts_tf.cli", stage, *arguments)
            child = children.Child(stage, command, folder / "result.json")
            ended = parent.run(child)
            if not ended.finished:
                return parent.code(ended)
    print(_summary(root, time.monotonic() - started))
    return 0


def _existing(path: str | None, default: str) -> str:
    """Returns a flagfile's path; without one that of configs/`default`."""
    path = path or flagfile(default)
    if path is None or not Path(path).is_file():
        raise InputError(f"{path or default}: no such flagfile")
    return path


def _stages(
    config: PipelineConfig, root: Path, search_flags: str, evaluate_flags: str
) -> list[tuple[str, Path, list[str]]]:
    """Returns (program, folder of its run, its arguments) of each stage."""
    search, evaluation = root / "search", root / "evaluate"
    plugin = [f"--plugin={config.plugin}"] if config.plugin else []
    both = [f"--seed={config.seed}", *plugin]
    if config.data_dir:
        both.append(f"--data_dir={config.data_dir}")
    of_search = [f"--flagfile={search_flags}", f"--workdir={search}", *both]
    of_evaluation = [
        f"--flagfile={evaluate_flags}",
        f"--workdir={evaluation}",
        f"--genotype={search / 'genotype.json'}",
        *both,
    ]
    return [
        ("search", search, of_search),
        ("derive", search, [f"--workdir={search}", *plugin]),
        ("evaluate", evaluation, of_evaluation),
        ("export", evaluation, [f"--workdir={evaluation}", *plugin]),
    ]


def _summary(root: Path, seconds: float) -> str:
    """Returns the results, and what to type next."""
    search, evaluation = root / "search", root / "evaluate"
    result = Workdir(evaluation).read_result()
    measured = "\n".join(f"  {n:<15} {text}" for n, text in _measured(result))
    folder = "ptb" if "perplexity" in result["test"] else "cifar10"
    return f"""
Done in {duration(seconds)}.
  genotype        {search / "genotype.json"}
  its picture     {search / "genotype.png"}
{measured}
  SavedModel      {evaluation / "export"}
  watch           {quoted(sys.executable)} -m tensorboard.main --logdir={quoted(root)}
  next            {_next_command(folder)}"""


def _next_command(folder: str) -> str:
    """Returns the command of a search on real data."""
    path = flagfile(f"{folder}/search_second_order.flags")
    if path is None:
        return f"{command('search')} --help"
    program = command("search").replace("python", quoted(sys.executable), 1)
    download = "" if folder == "ptb" else " --download"
    return f"""{program} \\
                    --flagfile={quoted(path)} \\
                    --workdir=runs/{folder}/search --data_dir=DIR{download}"""


def _measured(result: dict) -> list[tuple[str, str]]:
    """Returns the measures as (name, text) lines."""
    test = result["test"]
    if "error" in test:
        lines = [("test error", f"{test['error']:.2%} of {test['images']} images")]
    else:
        words = f"{test['perplexity']:.2f} of {test['words']:,} words"
        lines = [("test perplexity", words)]
    lines.append(("parameters", f"{result['parameters']:,}"))
    if "multiply_adds" in result:
        lines.append(("multiply-adds", f"{result['multiply_adds']:,}"))
    return lines + [("it writes", line) for line in result.get("sample", [])]
