"""Commands that the summaries of programs propose."""

from __future__ import annotations

import contextlib
import importlib.resources
import importlib.util
import shlex
import tempfile
from collections.abc import Iterator
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


def watch_command(workdir: Path) -> str:
    """Returns the command that shows a run in TensorBoard by its folder's name.

    TensorBoard names a run by its path below --logdir: the folder above, but where
    that may hold much else (the present one, a user's, the root, a temporary one).
    """
    above = workdir.absolute().parent
    crowded = above in {Path(above.anchor), *_crowded_folders()}
    return f"tensorboard --logdir={quoted(workdir if crowded else workdir.parent)}"


def _crowded_folders() -> Iterator[Path]:
    """Yields the present folder, a user's and that of temporary files, as they exist.

    A container may have neither a home nor a folder for temporary files.
    """
    for place in (Path.cwd, Path.home, tempfile.gettempdir):
        with contextlib.suppress(OSError, RuntimeError):
            yield Path(place())


def quoted(path) -> str:
    """Returns a path for a shell."""
    return shlex.quote(str(path))
