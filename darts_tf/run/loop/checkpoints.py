"""Checkpoints: the named arrays of a run at one step, one file each.

A checkpoint is a NumPy archive, `step-00000123.npz`, and not a
tf.train.Checkpoint: it is one file, so that it can be replaced in one move
and is there whole or not at all; each array carries a checksum (zip's CRC),
so that damage is noticed instead of trained on; and it can be read without
TensorFlow and without the objects that wrote it. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from absl import logging

from darts_tf.errors import InputError
from darts_tf.run import files
from darts_tf.run.loop.protocols import Team

_NAME = re.compile(r"step-(\d{8,})\.npz")
_MEMBER = ".npy"
# What reading a damaged archive can raise. RuntimeError: its bits for
# encryption are set; NotImplementedError: those for the compression.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    OSError,
    KeyError,
    NotImplementedError,
    RuntimeError,
)


def checkpoint_path(folder: str | os.PathLike, step: int) -> Path:
    """Returns the path of the checkpoint of `step`."""
    return Path(folder) / f"step-{step:08d}.npz"


def save(
    folder: str | os.PathLike,
    step: int,
    arrays: Mapping[str, np.ndarray],
    keep: int = 2,
) -> Path:
    """Writes the checkpoint of `step` and removes those no longer needed.

    `keep` are left, this one included. Checkpoints of later steps go too:
    whoever is at `step` has passed them over as damaged. Raises ValueError
    for arrays that an archive cannot hold exactly (objects, bfloat16).
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = checkpoint_path(folder, step)
    with files.atomic_file(path) as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                _write_array(archive, name, np.asarray(array))
    for later, other in _checkpoint_paths(folder).items():
        if later > step:
            other.unlink(missing_ok=True)
    tidy(folder, step, keep)
    return path


def is_finite(array: np.ndarray) -> bool:
    """Returns False for an array of floats that holds NaN or infinity.

    Single numbers are let through: "best loss so far" starts at infinity.
    """
    array = np.asarray(array)
    floats = array.ndim > 0 and array.dtype.kind in "fc"
    return not floats or bool(np.isfinite(array).all())


def tidy(folder: str | os.PathLike, step: int, keep: int = 2) -> None:
    """Removes temporary files and all but the newest `keep` checkpoints up to `step`.

    `save` does it too, but can be killed before it has. Call it only as the
    sole writer.
    """
    files.remove_temporary(folder)
    paths = _checkpoint_paths(folder)
    up_to_step = [other for other in paths if other <= step]
    for other in up_to_step[: -max(keep, 1)]:
        paths[other].unlink(missing_ok=True)


def load_latest(
    folder: str | os.PathLike,
) -> tuple[int, dict[str, np.ndarray]] | None:
    """Returns step and arrays of the newest readable checkpoint, or None.

    A damaged one is passed over with a warning that names it. Raises
    InputError where there are checkpoints and none can be read.
    """
    paths = _checkpoint_paths(folder)
    for step in reversed(paths):
        try:
            return step, dict(_arrays(paths[step]))
        except _DAMAGE as error:
            logging.warning(
                "The checkpoint %s is damaged (%s); passing it over for the "
                "one before it.",
                paths[step],
                error,
            )
    if paths:
        raise _none_readable(folder, paths)
    return None


def load_together(
    folder: str | os.PathLike, team: Team
) -> tuple[int, dict[str, np.ndarray]] | None:
    """Returns to every member of a team what `load_latest` returns to its chief.

    Raises InputError likewise, and where another cannot read the same one.
    """
    latest = load_latest(folder) if team.chief else None
    step = int(team.total(latest[0] if latest else 0))
    if team.chief or not step:
        return latest
    path = checkpoint_path(folder, step)
    try:
        return step, dict(_arrays(path))
    except _DAMAGE as error:
        raise InputError(
            f"the checkpoint {path}, from which the first worker goes on, "
            f"cannot be read by this one ({error}); the `workdir` of all must "
            "be the same folder, on a disk that they share"
        ) from error


def latest_step(folder: str | os.PathLike) -> int:
    """Returns the step of the checkpoint that `load_latest` would load, or 0.

    Checks all of it and keeps none of it, and says nothing about damaged
    ones: `load_latest` does. Raises InputError likewise.
    """
    paths = _checkpoint_paths(folder)
    for step in reversed(paths):
        with contextlib.suppress(*_DAMAGE):
            for _ in _arrays(paths[step]):
                pass
            return step
    if paths:
        raise _none_readable(folder, paths)
    return 0


def _none_readable(folder, paths: dict[int, Path]) -> InputError:
    names = ", ".join(path.name for path in paths.values())
    return InputError(
        f"none of the checkpoints in {folder} can be read ({names}); bring "
        "one back from a copy, or start anew in another `workdir`"
    )


def _checkpoint_paths(folder: str | os.PathLike) -> dict[int, Path]:
    """Returns the checkpoints by step, oldest first."""
    folder = Path(folder)
    matches = {
        path: _NAME.fullmatch(path.name)
        for path in (folder.iterdir() if folder.is_dir() else ())
    }
    paths = {int(m[1]): path for path, m in matches.items() if m}
    return dict(sorted(paths.items()))


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Writes one array; np.savez would fail on an array named "file"."""
    if array.dtype.kind in "OV":
        raise ValueError(f"an archive cannot hold {name!r}, an array of {array.dtype}")
    # The default date keeps equal states equal files.
    member = zipfile.ZipInfo(name + _MEMBER)
    with archive.open(member, "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, array, allow_pickle=False)


def _arrays(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yields names and arrays, each read to its end, which checks its CRC."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            stream = io.BytesIO(archive.read(name))
            array = np.lib.format.read_array(stream, allow_pickle=False)
            yield name[: -len(_MEMBER)], array
