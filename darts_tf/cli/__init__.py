"""The programs on the command line; from its import on Ctrl-C shows no traceback."""

from __future__ import annotations

import sys
from types import TracebackType


def _say_interrupted(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints one line for Ctrl-C during the imports, and all other errors as usual."""
    if issubclass(kind, KeyboardInterrupt):
        print("error: interrupted", file=sys.stderr)
    else:
        _usual(kind, error, trace)


_usual = sys.excepthook
sys.excepthook = _say_interrupted
