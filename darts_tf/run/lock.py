"""The right of one live process to write into a folder.

It is a lock of the kernel on the file `lock`, and on the folder itself where its
file system can do that: removing the file lets no second run in. Both fall with the
process, also by SIGKILL: no stale lock can keep a run from being resumed. A child of
another program waits for the lock: where that program was killed and started
again, the child of the first one is saving still.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import stat
import time
from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.reading import expanded
from darts_tf.run.process import parent_watch

NAME = "lock"
POLL_SECONDS = 0.5
SIGNING_TRIES, SIGNING_SECONDS = 20, 0.05


class FolderInUse(InputError):
    """Another live process holds the folder."""


def check_free(path: str | os.PathLike) -> None:
    """Raises FolderInUse if another live process holds the folder of a run.

    For a second start, which is told so before it reads data and builds networks; what
    keeps the lock from being opened is left to the FolderLock that comes then.
    """
    folder = expanded(path)
    if (folder / NAME).exists():
        with contextlib.suppress(OSError):
            FolderLock(folder).release()


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
        self._file = _open(folder / NAME)
        self._folder: int | None = None
        self._path = folder
        ends = time.monotonic() + parent_watch.seconds_to_wait()
        while (error := self._try_lock(folder)) is not None:
            refusal = self._refusal(folder, error)
            late = time.monotonic() >= ends
            if late or not isinstance(refusal, FolderInUse):
                self._close()
                raise refusal from error
            time.sleep(POLL_SECONDS)
        try:
            self.sign()
        except BaseException:  # a full disk
            self._close()
            raise

    def _try_lock(self, folder: Path) -> OSError | None:
        """Tries once; returns the error, or None where the lock is held now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error
        return self._try_folder(folder)

    def _try_folder(self, folder: Path) -> BlockingIOError | None:
        """Locks the folder itself, which outlives a removed lock file.

        Shared file systems that cannot lock folders go without.
        """
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._close_folder()
            fcntl.flock(self._file, fcntl.LOCK_UN)
            return error
        except OSError:
            self._close_folder()
        return None

    def _refusal(self, folder: Path, error: OSError) -> InputError:
        if not isinstance(error, BlockingIOError):
            return InputError(
                f"`workdir={folder}` cannot be locked ({error.strerror}); "
                "give a folder on a disk with file locks"
            )
        return FolderInUse(
            f"`workdir={folder}` is in use by a live run (process "
            f"{self._holder() or 'unknown'}); wait for it, stop it, or give another "
            "`workdir`"
        )

    def _holder(self) -> str:
        """Returns the holder's number, which may be a moment in coming."""
        for _ in range(SIGNING_TRIES):
            self._file.seek(0)
            holder = self._file.read(20).decode("ascii", "replace").strip()
            if holder:
                return holder
            time.sleep(SIGNING_SECONDS)
        return ""

    def sign(self) -> None:
        """Writes the number of this process into the file."""
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode("ascii"))

    def check_place(self) -> None:
        """Raises FileNotFoundError where the folder was moved, removed or replaced.

        Where its file system cannot lock folders, another one is not recognised.
        """
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            here = os.stat(self._path)
            if self._folder is None or os.path.samestat(here, os.fstat(self._folder)):
                return
        reason = "the folder of this run was moved or removed"
        raise FileNotFoundError(errno.ENOENT, reason, str(self._path))

    def release(self) -> None:
        """Releases the folder; releasing twice is harmless."""
        if not self._file.closed:
            with contextlib.suppress(OSError):  # the disk may have gone
                self._file.truncate(0)
        self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._close_folder()

    def _close_folder(self) -> None:
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


def _open(path: Path) -> io.FileIO:
    """Opens the lock file, never what a link leads to."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path} is no regular file; move it away")
    return open(descriptor, "a+b", buffering=0)
