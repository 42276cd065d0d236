"""Python files of the user that register operations and spaces."""

from __future__ import annotations

import functools
import importlib.util
import sys
import traceback
from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.reading import expanded


def load(path: str | None) -> None:
    """Imports a plugin, once in a process; None: nothing.

    Raises:
      InputError: there is no such file, or importing it fails.
    """
    if path is not None:
        _load(expanded(path).absolute())


def absolute(path: str | None) -> str | None:
    """Returns the path of a plugin as it can be read from any folder; None stays."""
    return None if path is None else str(expanded(path).absolute())


def load_stored(path: str | None) -> None:
    """Imports the plugin that an earlier run names, if its file is still there.

    Without it an operation that is not registered is refused where it is used, in
    words that say how to register it.

    Raises:
      InputError: importing it fails.
    """
    if path is not None and Path(path).is_file():
        load(path)


@functools.cache
def _load(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            f"`plugin={path}` is no file; give a Python file that registers "
            "operations or spaces"
        )
    spec = importlib.util.spec_from_file_location(f"plugin_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"`plugin={path}` is no Python file; give one ending in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as dataclasses in it expect
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        raise InputError(
            f"`plugin={path}` cannot be imported: {last}; mend that file"
        ) from error
