"""Recognises a user's own data in the runs that have read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from darts_tf.errors import InputError
from darts_tf.reading import existing_folder
from darts_tf.run.settings_files import CONFIG_FILE
from darts_tf.run.workdir import other_data, read_settings

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


def require_data_of_runs(values: Mapping[str, object], path: str | os.PathLike) -> None:
    """Refuses a user's data that are not those of earlier runs.

    Args:
      values: of a new run, with its hash of the data.
      path: folder in which runs are, at any depth. Those of another kind or size of
        images are passed over, whose hashes say nothing.

    Raises:
      InputError: the data differ, or there is no folder.
    """
    folder = existing_folder(path, "same_data_as")
    for file in sorted(folder.rglob(CONFIG_FILE)):
        stored = read_settings(file.parent)
        alike = all(stored.get(n) == values.get(n) for n in ("dataset", "image_size"))
        known = stored.get(FINGERPRINT), values.get(FINGERPRINT)
        if alike and None not in known and len({*known}) > 1:
            raise InputError(
                f"the data are not those of {file.parent}: examples were added, "
                "removed or changed since; bring them back, or begin anew in another "
                "`workdir`"
            )
