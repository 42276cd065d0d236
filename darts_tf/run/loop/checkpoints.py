"""Checkpoints: the named arrays of a run at one step, one file each.

A checkpoint is a NumPy archive, `step-00000123.npz`, and not a
tf.train.Checkpoint: it is one file, so that it can be replaced in one move
and is there whole or not at all; it can be read without TensorFlow and without
the objects that wrote it; nothing is pickled. The archive's comment, its last
bytes, holds the step, the run and a SHA-256 of every byte before: a damaged,
renamed or foreign file is noticed instead of trained on.

Checkpoints of versions before 0.3.0 have no such comment. Each of their arrays
has a CRC, and their directory has to account for every byte of the file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from absl import logging

from darts_tf.errors import InputError, shorten
from darts_tf.reading import open_regular, reason_of
from darts_tf.run import files, settings_files
from darts_tf.run.loop.protocols import Team

_NAME = re.compile(r"step-([0-9]{8,})\.npz")
_MEMBER = ".npy"
_COMMENT = b"darts_tf checkpoint 2, step %d, run %s, sha256 "
_TRAILER = re.compile(
    rb"darts_tf checkpoint 2, step (\d+), run (\w*), sha256 ([0-9a-f]{64})\Z"
)
_DIGEST_LENGTH = 64
_TAIL = 256  # bytes at a file's end that hold any comment
_CHUNK = 2**20
_END = 22  # bytes of a zip's end that has no comment
_LOCAL_HEADER = 30  # bytes of a member's header before its name
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE)
"""Numbers of errors that say nothing of the file: another try may read it."""


class Damaged(Exception):
    """Tells in a few words why a file is no checkpoint of this run and step."""


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
    whoever is at `step` has passed them over as damaged. The folder is made where
    it is missing, and its parents are not. Raises OSError, and ValueError for
    arrays that an archive cannot hold exactly (objects, bfloat16).
    """
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    path = checkpoint_path(folder, step)
    comment = _COMMENT % (step, (_run_of(folder) or "").encode())
    with files.atomic_file(path) as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, array in arrays.items():
                _write_array(archive, name, np.asarray(array))
            archive.comment = comment + b"0" * _DIGEST_LENGTH
        _seal(stream)
    for later, other in _checkpoint_paths(folder).items():
        if later > step:
            _remove(other)
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
        _remove(paths[other])


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
            return step, _read(paths[step], step)
        except Damaged as error:
            logging.warning(
                "The checkpoint %s is damaged (%s); passing it over for the "
                "one before it.",
                shorten(str(paths[step])),
                error,
            )
    if paths:
        raise _none_readable(folder, paths)
    return None


def require_latest(
    folder: str | os.PathLike, owner: str
) -> tuple[int, dict[str, np.ndarray]]:
    """Returns what `load_latest` returns; raises InputError where there is none.

    Args:
      folder: of checkpoints.
      owner: the run in words of arguments, for the message (`workdir=runs/a`).
    """
    latest = load_latest(folder)
    if latest is None:
        raise InputError(
            f"{owner} has no checkpoint in {folder}; run it until it has saved one, or "
            "bring one back from a copy"
        )
    return latest


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
        return step, _read(path, step)
    except Damaged as error:
        raise InputError(
            f"the checkpoint {path}, from which the first worker goes on, "
            f"cannot be read by this one ({error}); the `workdir` of all must "
            "be the same folder, on a disk that they share"
        ) from error


def latest_step(folder: str | os.PathLike) -> int:
    """Returns the step of the checkpoint that `load_latest` would load, or 0.

    Says nothing about damaged ones: `load_latest` does. Raises InputError
    likewise.
    """
    paths = _checkpoint_paths(folder)
    for step in reversed(paths):
        with contextlib.suppress(Damaged):
            _read(paths[step], step)
            return step
    if paths:
        raise _none_readable(folder, paths)
    return 0


def _none_readable(folder, paths: dict[int, Path]) -> InputError:
    names = shorten(", ".join(path.name for path in paths.values()), 80)
    return InputError(
        f"none of the checkpoints in {folder} can be read ({names}); bring "
        "one back from a copy, or start anew in another `workdir`"
    )


def _checkpoint_paths(folder: str | os.PathLike) -> dict[int, Path]:
    """Returns the checkpoints by step, oldest first."""
    folder = Path(folder)
    matches = [
        _NAME.fullmatch(path.name)
        for path in (folder.iterdir() if folder.is_dir() else ())
    ]
    steps = sorted(int(match[1]) for match in matches if match)
    paths = {step: checkpoint_path(folder, step) for step in steps}
    return {step: path for step, path in paths.items() if os.path.lexists(path)}


def _remove(path: Path) -> None:
    """Removes a checkpoint; leaves a folder that is called as one."""
    with contextlib.suppress(IsADirectoryError, PermissionError):
        path.unlink(missing_ok=True)


def _run_of(folder: str | os.PathLike) -> str | None:
    """Returns the run that a folder of checkpoints is a part of, if that is known."""
    return settings_files.run_of(Path(folder).absolute().parent)


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Writes one array; np.savez would fail on an array named "file"."""
    if array.dtype.kind in "OV":
        raise ValueError(f"an archive cannot hold {name!r}, an array of {array.dtype}")
    # The default date keeps equal states equal files.
    member = zipfile.ZipInfo(name + _MEMBER)
    with archive.open(member, "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, array, allow_pickle=False)


def _seal(stream: BinaryIO) -> None:
    """Writes the SHA-256 of all bytes before into the archive's last bytes."""
    length = stream.seek(0, os.SEEK_END) - _DIGEST_LENGTH
    digest = _digest(stream, length)
    stream.seek(length)
    stream.write(digest)


def _digest(stream: BinaryIO, length: int) -> bytes:
    """Returns the SHA-256 of the first `length` bytes, hexadecimal."""
    stream.seek(0)
    digest = hashlib.sha256()
    while length > 0:
        chunk = stream.read(min(length, _CHUNK))
        if not chunk:
            raise Damaged("cut short while it is read")
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest().encode()


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an archive of numpy.savez; raises Damaged."""
    with _damage(), open_regular(path) as stream:
        return _unsealed(stream)


def _unsealed(stream: BinaryIO) -> dict[str, np.ndarray]:
    size = os.fstat(stream.fileno()).st_size
    with zipfile.ZipFile(stream) as archive:
        _check_accounted(archive, stream)
        return dict(_arrays(archive, size))


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Turns whatever the bytes of an archive cause into Damaged."""
    try:
        yield
    except (Damaged, MemoryError):
        raise
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise
        raise Damaged(shorten(reason_of(error), 100)) from error
    except Exception as error:  # zipfile and NumPy have no list of what they raise
        reason = f"{type(error).__name__}: {error}"
        raise Damaged(shorten(reason, 100)) from error


def _read(path: Path, step: int) -> dict[str, np.ndarray]:
    """Returns the arrays of the checkpoint of a step; raises Damaged."""
    with _damage(), open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        if _check_seal(stream, size, step, _run_of(path.parent)):
            with zipfile.ZipFile(stream) as archive:
                return dict(_arrays(archive, size))
        arrays = _unsealed(stream)
        _check_step(arrays, step)
        return arrays


def _check_seal(stream: BinaryIO, size: int, step: int, run: str | None) -> bool:
    """Checks the comment; returns False for an archive that has none."""
    stream.seek(max(0, size - _TAIL))
    end = stream.read()
    trailer = _TRAILER.search(end)
    if trailer is None:
        bare = end[-_END:].startswith(b"PK\x05\x06") and end.endswith(b"\0\0")
        if not bare:
            raise Damaged("its end is missing or damaged")
        if run:
            raise Damaged("it has no checksum, so it is none of this run's")
        return False
    if _digest(stream, size - _DIGEST_LENGTH) != trailer[3]:
        raise Damaged("its checksum does not fit its content")
    if int(trailer[1]) != step:
        raise Damaged(f"it is that of step {int(trailer[1])}")
    if run and trailer[2].decode() != run:
        raise Damaged("it belongs to another run")
    return True


def _check_accounted(archive: zipfile.ZipFile, stream: BinaryIO) -> None:
    """Checks that the members of an old archive are all that the file holds."""
    place = 0
    for member in sorted(archive.infolist(), key=lambda m: m.header_offset):
        stream.seek(member.header_offset + _LOCAL_HEADER - 4)
        lengths = stream.read(4)
        name, extra = lengths[:2], lengths[2:]
        if member.header_offset != place:
            raise Damaged("its directory leaves bytes out")
        place += _LOCAL_HEADER + int.from_bytes(name, "little")
        place += int.from_bytes(extra, "little") + member.compress_size
    stream.seek(-_END, os.SEEK_END)
    count = int.from_bytes(stream.read()[10:12], "little")
    if place != archive.start_dir or count not in (len(archive.infolist()), 2**16 - 1):
        raise Damaged("its directory leaves bytes out")


def _check_step(arrays: Mapping[str, np.ndarray], step: int) -> None:
    held = arrays.get("step")
    if held is not None and (held.shape != () or held.dtype.kind not in "iu"):
        raise Damaged("its step is no number")
    if held is not None and int(held) != step:
        raise Damaged(f"it is that of step {int(held)}")


def _arrays(archive: zipfile.ZipFile, size: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yields names and arrays, each read to its end, which checks its CRC."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise Damaged("an array is there twice")
    for member in archive.infolist():
        stored = member.compress_type == zipfile.ZIP_STORED
        if not stored or not 0 <= member.file_size <= size:
            raise Damaged(f"{member.filename!r} is not stored as it is")
        if not member.filename.endswith(_MEMBER):
            raise Damaged(f"{member.filename!r} is no array")
        content = bytearray(member.file_size)
        with archive.open(member) as stream:
            if stream.readinto(content) != len(content) or stream.read(1):
                raise Damaged(f"{member.filename!r} is cut short")
        yield member.filename[: -len(_MEMBER)], _parsed(content)


def _parsed(content: bytearray) -> np.ndarray:
    """Returns the array of an .npy file whose sizes fit each other."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise Damaged(f"an array of format {version}")
    shape, fortran, dtype = _HEADERS[version](stream)
    count, start = math.prod(shape), stream.tell()
    if dtype.hasobject or min(shape, default=0) < 0:
        raise Damaged("an array of objects")
    if count * dtype.itemsize != len(content) - start:
        raise Damaged("an array of another size than its header says")
    order = "F" if fortran else "C"
    return np.ndarray(shape, dtype, buffer=content, offset=start, order=order)
