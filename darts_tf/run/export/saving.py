"""Puts an export in place as a whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf
from absl import logging

from darts_tf.errors import InputError
from darts_tf.run.files import named_in_errors


def place(folder: Path, write: Callable[[Path, Path], None]) -> Path:
    """Lets `write` make an export and puts it in place of an earlier one.

    Args:
      folder: the export's folder.
      write: given a scratch folder and the path of the new export, writes
        and checks it; what it raises leaves everything as it was.

    Raises:
      InputError: the folder holds something else than an export.
      OSError: of the disk; it names the folder where it names no file.
    """
    if folder.exists() and not is_export(folder):
        raise InputError(
            f"{folder} exists and is no export; give another folder or move it away"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{folder.name}.", dir=folder.parent
    ) as scratch:
        new = Path(scratch) / "new"
        with quiet_loggers(), named_in_errors(folder):
            write(Path(scratch), new)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        new.rename(folder)
    return folder


def remove_scratch(folder: Path) -> None:
    """Removes what exports into `folder` that were killed have left beside it.

    Call it only as the sole writer.
    """
    for scratch in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def quiet_loggers():
    """Silences the information that TensorFlow logs while saving; warnings pass.

    Saving itself sets absl's verbosity and puts it back: no other way lasts.
    """
    others = tf.get_logger()
    verbosity, level = logging.get_verbosity(), others.level
    try:
        logging.set_verbosity(min(verbosity, logging.WARNING))
        others.setLevel("WARNING")
        yield
    finally:
        logging.set_verbosity(verbosity)
        others.setLevel(level)


def as_json(metadata: Mapping[str, object]) -> str:
    """Returns the metadata as JSON text.

    Raises:
      InputError: JSON cannot hold it.
    """
    try:
        return json.dumps(metadata, indent=1, sort_keys=True, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise InputError(f"`metadata` must be what JSON can hold: {error}") from None


def is_export(folder: Path) -> bool:
    """Returns True if `folder` was made by `place` or is empty."""
    if not folder.is_dir():
        return False
    kinds = (("saved_model.pb", "assets/metadata.json"), ("export.json",))
    complete = any(all((folder / name).is_file() for name in files) for files in kinds)
    return complete or not any(folder.iterdir())
