"""Commands that the summaries of programs propose."""

from __future__ import annotations

import importlib.resources
import importlib.util
import shlex
from pathlib import Path


def command(program: str) -> str:
    """Returns a program's command, in a clone or where the package is installed."""
    if importlib.util.find_spec("train") is None:
        return f"darts-tf-{program}"
    return f"python -m train.{program}"


def flagfile(name: str) -> str | None:
    """Returns the path of configs/`name` here or in the package; None without one."""
    packaged = Path(str(importlib.resources.files("darts_tf"))) / "configs" / name
    for path in (Path("configs") / name, packaged):
        if path.is_file():
            return str(path)
    return None


def quoted(path) -> str:
    """Returns a path for a shell."""
    return shlex.quote(str(path))
