"""The right of one live process to write into a folder.

It is a lock of the kernel on the file `lock`, which falls with the process,
also by SIGKILL: no stale lock can keep a run from being resumed. A child of
another program waits for the lock: where that program was killed and started
again, the child of the first one is saving still.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import BinaryIO

from darts_tf.errors import InputError
from darts_tf.run.process import parent_watch

NAME = "lock"
POLL_SECONDS = 0.5


class FolderInUse(InputError):
    """Another live process holds the folder."""


class FolderLock:
    """Holds a folder from its creation until `release`.

    Args:
      folder: an existing one; what is in it stays as it is.

    Raises:
      FolderInUse: another live process holds the folder.
      InputError: its disk knows no locks.
      OSError: the file cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = open(folder / NAME, "a+b")
        ends = time.monotonic() + parent_watch.seconds_to_wait()
        while (error := self._try_lock()) is not None:
            refusal = self._refusal(folder, error)
            late = time.monotonic() >= ends
            if late or not isinstance(refusal, FolderInUse):
                self.release()
                raise refusal from error
            time.sleep(POLL_SECONDS)

    def _try_lock(self) -> OSError | None:
        """Tries once; returns the error, or None where the lock is held now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error
        return None

    def _refusal(self, folder: Path, error: OSError) -> InputError:
        if not isinstance(error, BlockingIOError):
            return InputError(
                f"`workdir={folder}` cannot be locked ({error.strerror}); "
                "give a folder on a disk with file locks"
            )
        self._file.seek(0)
        holder = self._file.read().decode("ascii", "replace").strip()
        return FolderInUse(
            f"`workdir={folder}` is in use by a live run (process "
            f"{holder or 'unknown'}); wait for it, stop it, or give another "
            "`workdir`"
        )

    def sign(self) -> None:
        """Writes the number of this process into the file."""
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode("ascii"))
        self._file.flush()

    def release(self) -> None:
        """Releases the folder; releasing twice is harmless."""
        self._file.close()
