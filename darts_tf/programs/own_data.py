"""Recognises a user's own data in the runs that have read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from darts_tf.errors import InputError
from darts_tf.run.workdir import other_data

FINGERPRINT = "fingerprint"
"""Name, among a run's values, of the hash of a user's own data."""

IN_FOLDERS = ("folder", "text_folder")
"""Sets of a user's own that are loaded by the path of their folder."""


def source_of(divided: Any) -> Any:
    """Returns the set, ImageData or TextData, that divided data are parts of."""
    return getattr(divided, "images", divided)


def require_same_data(
    values: Mapping[str, object], divided: Any, workdir: str | os.PathLike
) -> None:
    """Refuses a user's data that are no longer those of an earlier run.

    Args:
      values: of that run; older ones have no hash of a folder.
      divided: its data, read again.
      workdir: the folder of that run.

    Raises:
      InputError: they differ.
    """
    known = values.get(FINGERPRINT)
    if known not in (None, getattr(source_of(divided), FINGERPRINT, None)):
        raise InputError(other_data(workdir))
