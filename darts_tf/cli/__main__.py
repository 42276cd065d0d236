"""Starts a program by its name: python -m darts_tf.cli search --help"""

from __future__ import annotations

import inspect
import sys

from darts_tf.cli import scripts

PROGRAMS = {
    "pipeline": scripts.pipeline,
    "search": scripts.search,
    "derive": scripts.derive,
    "evaluate": scripts.evaluate,
    "export": scripts.export,
    "latency": scripts.latency,
    "experiment": scripts.experiment,
    "compare": scripts.compare,
}


def main() -> None:
    """Takes the program's name off the arguments and starts it."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in PROGRAMS:
        print(f"error: give a program: {', '.join(PROGRAMS)}", file=sys.stderr)
        sys.exit(2)
    PROGRAMS[name]()


def listing(module: str) -> str:
    """Returns the programs, one a line.

    Args:
      module: how they are started, as in "python -m train.".
    """
    width = max(map(len, PROGRAMS))
    lines = [
        f"  {module}{name:<{width}}  {(inspect.getdoc(program) or '').splitlines()[0]}"
        for name, program in PROGRAMS.items()
    ]
    return "\n".join([*lines, "", f"What each takes: {module}search --help"])


if __name__ == "__main__":
    main()
