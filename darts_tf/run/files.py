"""Writes files that exist as a whole or not at all.

A file is written under a temporary name in the same folder, forced to the
disk and renamed: whoever reads, and whatever is killed, sees the old content
or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

TEMPORARY_SUFFIX = ".tmp"


def write_atomic(path: str | os.PathLike, data: bytes | str) -> None:
    """Replaces the file `path` by `data` (text as UTF-8) in one move.

    Raises OSError; the old file is then untouched.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    with atomic_file(path) as stream:
        stream.write(content)


def write_json_atomic(path: str | os.PathLike, value: object) -> None:
    """Writes `value` as indented JSON, in one move.

    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    write_atomic(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Opens a stream whose content becomes the file `path` when the block ends.

    If the block raises, nothing stays behind.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with named_in_errors(path), _new_file(temporary) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def named_in_errors(path: str | os.PathLike) -> Iterator[None]:
    """Names `path` in an OSError that names no file, as that of a write."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = str(path)
        raise


def _new_file(path: Path) -> BinaryIO:
    """Creates a file to write and read; never one that a link leads to."""
    path.unlink(missing_ok=True)  # left by a killed process of the same number
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return open(os.open(path, flags, 0o666), "w+b")


def open_to_append(path: str | os.PathLike) -> BinaryIO:
    """Opens a file to add to its end, made where it is missing.

    Raises OSError, also for what a link leads to (ELOOP), and for a FIFO.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    return open(os.open(path, flags, 0o666), "ab")


def sync_folder(folder: str | os.PathLike) -> None:
    """Forces the names in `folder` to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # it has no such thing
            raise
    finally:
        os.close(descriptor)


def remove_temporary(folder: str | os.PathLike) -> None:
    """Removes a killed writer's temporary files; call it only as the sole writer."""
    for path in Path(folder).glob(f".*{TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)
