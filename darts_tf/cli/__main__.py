"""Starts a program by its name: python -m darts_tf.cli search --help"""

from __future__ import annotations

import sys

from darts_tf.cli import scripts

PROGRAMS = {
    "search": scripts.search,
    "evaluate": scripts.evaluate,
    "derive": scripts.derive,
    "export": scripts.export,
    "experiment": scripts.experiment,
    "compare": scripts.compare,
    "pipeline": scripts.pipeline,
}


def main() -> None:
    """Takes the program's name off the arguments and starts it."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in PROGRAMS:
        print(f"error: give a program: {', '.join(PROGRAMS)}", file=sys.stderr)
        sys.exit(2)
    PROGRAMS[name]()


if __name__ == "__main__":
    main()
