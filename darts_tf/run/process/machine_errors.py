"""What machines refuse a run, as one line: memory, disk, data, workers.

Knows TensorFlow's errors without importing it: whoever raised one has done
so. Its file system raises them instead of OSError, with the text of errno.
"""

from __future__ import annotations

import errno
import os
import re
import sys

_FULL = "make room on its disk"
_RIGHTS = "get the right to read and write it"
_MENDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "make its file system writable",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}


def line(error: BaseException) -> str | None:
    """What was refused and how to mend it; None for any other error."""
    number = _disk_number(error)
    if number is not None:
        return _disk(error, number)
    if isinstance(error, MemoryError) or _is_tensorflows(
        error, "ResourceExhaustedError"
    ):
        return (
            "out of memory; lower the batch size, the number of channels or "
            f"of layers ({_first_line(error) or type(error).__name__})"
        )
    if _is_of_data(error):
        text = re.sub(r"^\{\{.*?\}\} ", "", _first_line(error))
        return (
            f"a file of the data set cannot be read ({text}); mend it or "
            "prepare the set again, then the same command goes on from the "
            "last checkpoint"
        )
    if _is_of_workers(error):
        return (
            "another worker has ended or cannot be reached: its own last "
            "lines say why; start all workers again with the same command, "
            "which goes on from the last checkpoint"
        )
    return None


def _is_of_workers(error: BaseException) -> bool:
    """Whether workers no longer compute together, as one of them sees it."""
    known = _is_tensorflows(
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


def _is_of_data(error: BaseException) -> bool:
    """Whether a file that is read as it is used is damaged or gone."""
    known = _is_tensorflows(error, "DataLossError", "NotFoundError")
    return known and "Iterator" in str(error)


def _disk_number(error: BaseException) -> int | None:
    """The errno of a disk that refused, of those in _MENDS."""
    if isinstance(error, OSError):
        return error.errno if error.errno in _MENDS else None
    if _is_tensorflows(error, "ResourceExhaustedError", "PermissionDeniedError"):
        text = str(error)
        return next((n for n in _MENDS if os.strerror(n) in text), None)
    return None


def _disk(error: BaseException, number: int) -> str:
    what = f"{getattr(error, 'filename', None) or 'a file of the run'}: "
    what += os.strerror(number)
    if not isinstance(error, OSError):
        what = _first_line(error)
    return (
        f"{what}; {_MENDS[number]}, then the same command goes on from the "
        "last checkpoint"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _is_tensorflows(error: BaseException, *names: str) -> bool:
    errors = getattr(sys.modules.get("tensorflow"), "errors", None)
    kinds = [getattr(errors, name, None) for name in names]
    return isinstance(error, tuple(kind for kind in kinds if kind))
