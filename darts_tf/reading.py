"""Reads files that a user names: regular ones only, and no more than is expected.

Opening a FIFO waits for a writer, reading a device may never end. So whatever
the user gives as a file is opened here, where neither can happen.
"""

from __future__ import annotations

import errno
import json
import os
import pathlib
import stat
from typing import Any, BinaryIO

from darts_tf.errors import InputError

TEXT_LIMIT = 64 * 2**20
"""Bytes of the largest settings, genotype or result that is read."""

DEPTH = 100
"""Levels of the most deeply nested JSON that is read."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO (named pipe)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """Reports a folder, FIFO, socket or device in the place of a file."""


def expanded(path: str | os.PathLike) -> pathlib.Path:
    """Returns a path that a user gave, with the home folder in the place of ~.

    Raises:
      InputError: ~ or ~NAME has no home folder here.
    """
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError:
        home = os.fspath(path).partition("/")[0]
        raise InputError(
            f"{os.fspath(path)}: {home} has no home folder on this machine; give a "
            "whole path"
        ) from None


def existing_folder(path: str | os.PathLike, argument: str) -> pathlib.Path:
    """Returns a folder that a user gave as `argument`, as `expanded` does.

    Raises:
      InputError: there is none, or as `expanded`.
    """
    folder = expanded(path)
    if not folder.is_dir():
        packed = " (unpack it first)" if folder.is_file() else ""
        raise InputError(
            f"`{argument}={os.fspath(path)}` is no folder{packed}; give one that is"
        )
    return folder


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Opens a regular file, or a link to one, for reading; never waits.

    Raises OSError, and NotRegularError for what is no file.
    """
    _require_regular(os.stat(path), path)
    # Should it become a FIFO in between, this does not wait either.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def read_bytes(path: str | os.PathLike, limit: int = TEXT_LIMIT) -> bytes:
    """Returns the content of a regular file of at most `limit` bytes.

    Raises OSError, also for a larger one (EFBIG).
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        reason = f"is larger than the {limit:,} bytes that are read"
        raise OSError(errno.EFBIG, reason, os.fspath(path))
    return content


def read_text(path: str | os.PathLike, limit: int = TEXT_LIMIT) -> str:
    """Returns the UTF-8 text of a regular file; see `read_bytes`.

    Raises OSError, and UnicodeDecodeError for other text.
    """
    return read_bytes(path, limit).decode("utf-8")


def read_json(path: str | os.PathLike) -> Any:
    """Returns the value in a JSON file; raises OSError, and ValueError for others."""
    return parse_json(read_text(path))


def parse_json(text: str | bytes) -> Any:
    """Returns the value of JSON text; raises ValueError, also for deep nesting."""
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [value]
    for _ in range(DEPTH):
        level = [item for outer in level for item in _items(outer)]
    if level:
        raise ValueError(f"nested more than {DEPTH} levels deep")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict:
    """Returns a JSON object; raises ValueError for a key that it has twice."""
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return value


def _items(value: Any) -> list:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def reason_of(error: BaseException) -> str:
    """Returns why a file could not be read, in words for a message."""
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8 text: {error.reason} at byte {error.start}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error) or type(error).__name__


def _require_regular(status: os.stat_result, path: str | os.PathLike) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kinds = (name for test, name in _KINDS if test(status.st_mode))
    reason = f"is {next(kinds, 'something else')}, not a regular file"
    raise NotRegularError(errno.EINVAL, reason, os.fspath(path))
