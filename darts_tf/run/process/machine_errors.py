"""Explains errors of memory, disk, data files and workers in one line.

Recognises TensorFlow's errors without importing it: an error that it raised
proves that it is loaded. Its file system raises them instead of OSError, with
the text of errno.
"""

from __future__ import annotations

import errno
import os
import re
import sys

from darts_tf.reading import NotRegularError

_AGAIN = "repeat the same command, which keeps what was saved"
_DISK_FULL = "make room on its disk"
_MOVED = "bring back what was moved or removed"
_PERMISSION = "get the right to read and write it"
_THREADS = "allow more processes (ulimit -u)"
_REMEDIES = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EROFS: "make its file system writable",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EIO: "look after its disk",
    errno.ESTALE: "mount its file system again",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "let the machine have more open files",
    errno.ENOENT: _MOVED,
    errno.ENOTDIR: _MOVED,
    errno.EISDIR: "move it away",
    errno.EEXIST: "move it away",
    errno.ENOTEMPTY: "move it away",
    errno.EBUSY: "end what uses it",
    errno.ENXIO: "move it away",
    errno.ELOOP: "remove the link, or mend links that lead to each other",
    errno.ENAMETOOLONG: "give shorter names",
    errno.ETIMEDOUT: "look after its file system",
    errno.ENOTCONN: "mount its file system again",
    errno.ENOMEM: "free memory, or take a machine with more",
    errno.EAGAIN: _THREADS,
}
_NO_TEMPORARY = "No usable temporary directory"
"""Python's words, where neither TMPDIR nor /tmp and its like can be written."""

_OF_FILES = (
    "OutOfRangeError",
    "UnknownError",
    "AbortedError",
    "FailedPreconditionError",
    "NotFoundError",
    "UnavailableError",
)
"""TensorFlow's errors that are a disk's only where they say so: "PATH; REASON"."""


def line(error: BaseException) -> str | None:
    """Returns the cause and a remedy in one line; None for any other error."""
    if isinstance(error, FileNotFoundError) and _NO_TEMPORARY in str(error):
        return f"{error.strerror}; set TMPDIR to a folder in which you may write"
    number = _disk_number(error)
    if number is not None:
        return _disk(error, number)
    if isinstance(error, MemoryError) or _is_tensorflow_error(
        error, "ResourceExhaustedError"
    ):
        return (
            "out of memory; lower the batch size, the number of channels or "
            f"of layers ({_first_line(error) or type(error).__name__})"
        )
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return f"the system refuses another thread; {_THREADS}"
    if _is_damaged_data(error):
        text = re.sub(r"^\{\{.*?\}\} ", "", _first_line(error))
        return (
            f"a file of the data set cannot be read ({text}); mend it or "
            f"prepare the set again, then {_AGAIN}"
        )
    if _is_lost_worker(error):
        return (
            "another worker has ended or cannot be reached: its own last "
            "lines say why; start all workers again with the same command, "
            "which goes on from the last checkpoint"
        )
    return None


def _is_lost_worker(error: BaseException) -> bool:
    """Returns True if this worker has lost the others."""
    known = _is_tensorflow_error(
        error,
        "UnavailableError",
        "AbortedError",
        "CancelledError",
        "DeadlineExceededError",
        "InternalError",
        "FailedPreconditionError",
    )
    text = str(error)
    return known and ("Collective" in text or "/job:worker" in text)


def _is_damaged_data(error: BaseException) -> bool:
    """Returns True if a data file is damaged or missing."""
    known = _is_tensorflow_error(error, "DataLossError", "NotFoundError")
    return known and "Iterator" in str(error)


def _disk_number(error: BaseException) -> int | None:
    """Returns the errno of a disk's refusal, if it is one of _REMEDIES."""
    if isinstance(error, OSError):
        if isinstance(error, NotRegularError):
            return errno.EISDIR
        return error.errno if error.errno in _REMEDIES else None
    if _is_tensorflow_error(error, "ResourceExhaustedError", "PermissionDeniedError"):
        text = str(error)
        return next((n for n in _REMEDIES if os.strerror(n) in text), None)
    if _is_tensorflow_error(error, *_OF_FILES) and "Iterator" not in str(error):
        text = _first_line(error)
        return next((n for n in _REMEDIES if text.endswith(_reason(n))), None)
    return None


def _reason(number: int) -> str:
    """Returns the end of TensorFlow's messages about files with this errno."""
    return f"; {os.strerror(number)}"


def _disk(error: BaseException, number: int) -> str:
    reason = f"{getattr(error, 'filename', None) or 'a file of the run'}: "
    reason += getattr(error, "strerror", None) or os.strerror(number)
    if not isinstance(error, OSError):
        reason = _first_line(error)
    return f"{reason}; {_REMEDIES[number]}, then {_AGAIN}"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _is_tensorflow_error(error: BaseException, *names: str) -> bool:
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    kinds = [getattr(errors, name, None) for name in names]
    return isinstance(error, tuple(kind for kind in kinds if kind))
