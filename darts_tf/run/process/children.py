"""Starts child processes, logs them, and hands signals on to them.

Each child has its own session. So Ctrl-C on a terminal reaches it once, handed
on by its parent, and not twice: a second signal would end it before it has saved
(`run.loop.stopping`). A second signal to the parent ends the parent alone; however
the parent ends, its children stop too (`run.process.parent_watch`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.run.files import open_to_append
from darts_tf.run.loop.stopping import StopRequest, exit_code
from darts_tf.run.process.parent_watch import ParentPipe

GPUS = "CUDA_VISIBLE_DEVICES"


@dataclasses.dataclass(frozen=True)
class Child:
    """A Python process to start, and the file that it produces.

    Attributes:
      name: shown to people.
      command: Python's arguments.
      leaves: the file that exists once all of its work is done.
      log: the file to which its output is appended; None: this process's
        output.
    """

    name: str
    command: tuple[str, ...]
    leaves: Path
    log: Path | None = None

    @property
    def finished(self) -> bool:
        """Returns True if the work is done, by this or an earlier start."""
        return self.leaves.exists()


@dataclasses.dataclass(frozen=True)
class ChildExit:
    """The end of a child.

    Attributes:
      child: the child that ended.
      code: its exit code; 128 + n where signal n ended it.
      seconds: the time that it ran.
    """

    child: Child
    code: int
    seconds: float

    @property
    def finished(self) -> bool:
        """True only if the process exited normally, neither failed nor interrupted."""
        return self.code == 0 and self.child.finished


def groups(processes: int | None, gpus: Sequence[str] | None) -> list[list[str] | None]:
    """Divides GPUs among processes that run at the same time.

    Args:
      processes: their number; None: one for each named GPU, or one.
      gpus: divided evenly; None: those of CUDA_VISIBLE_DEVICES. If that
        names none either, each process sees the devices of this one.

    Returns:
      The GPUs of each process, or None for each.

    Raises:
      InputError: more processes than GPUs.
    """
    if gpus is None:
        gpus = os.environ.get(GPUS, "").split(",")
    named = [gpu for gpu in gpus if gpu not in ("", "-1")]
    count = processes or len(named) or 1
    if not named:
        return [None] * count
    if count > len(named):
        raise InputError(
            f"`processes={count}`: there are {len(named)} GPUs "
            f"({','.join(named)}); give at most that, or name one twice in "
            f"`gpus` to share it"
        )
    return [named[place::count] for place in range(count)]


class Parent:
    """Starts children while it is open, and hands the first signal on to them.

    After a signal no other child is started: `run` returns at once, with the
    exit code of a run that was interrupted.

    Attributes:
      signal: the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._stop = StopRequest(self._hand_on)
        self._lock = threading.Lock()
        self._living: set[subprocess.Popen] = set()

    def __enter__(self) -> Parent:
        self._pipe = ParentPipe()
        self._stop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.__exit__(*error)
        self._pipe.close()

    def run(self, child: Child, gpus: Sequence[str] | None = None) -> ChildExit:
        """Starts a child and waits for its end.

        Args:
          child: the process to start.
          gpus: the only GPUs that it sees; None: those of this process.
        """
        start = time.monotonic()
        sys.stdout.flush()
        with _open_log(child.log) as log:
            process = self._start(child, log, gpus)
            if process is None:
                return ChildExit(child, exit_code(self.signal or signal.SIGTERM), 0.0)
            code = process.wait()
        with self._lock:
            self._living.remove(process)
        seconds = time.monotonic() - start
        return ChildExit(child, code if code >= 0 else 128 - code, seconds)

    def run_all(
        self,
        children: Sequence[Child],
        groups: Sequence[Sequence[str] | None] = (None,),
    ) -> Iterator[ChildExit]:
        """Runs children in their order, as many at a time as there are groups.

        Args:
          children: the processes to run.
          groups: the GPUs of each process at a time; see `run`.

        Yields:
          The exit of each child, as it ends.
        """
        free: queue.SimpleQueue = queue.SimpleQueue()
        for group in groups:
            free.put(group)

        def one(child: Child) -> ChildExit:
            group = free.get()
            try:
                return self.run(child, group)
            finally:
                free.put(group)

        with ThreadPoolExecutor(len(groups)) as pool:
            futures = [pool.submit(one, child) for child in children]
            for future in as_completed(futures):
                yield future.result()

    def code(self, ended: ChildExit) -> int:
        """Returns this process's exit code after a child that did not finish."""
        return exit_code(self.signal) if self.signal else ended.code

    def _start(self, child: Child, log, gpus) -> subprocess.Popen | None:
        environment = self._pipe.environment(os.environ)
        if gpus is not None:
            environment[GPUS] = ",".join(gpus)
        with self._lock:
            if self.signal:
                return None
            process = subprocess.Popen(
                [sys.executable, *child.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log and subprocess.STDOUT,
                env=environment,
                pass_fds=(self._pipe.reading,),
                start_new_session=True,
            )
            self._living.add(process)
        return process

    def _hand_on(self, number: signal.Signals) -> None:
        with self._lock:
            self.signal = number
            for process in self._living:
                process.send_signal(number)


def _open_log(log: Path | None):
    if log is None:
        return contextlib.nullcontext()
    log.parent.mkdir(exist_ok=True)  # without its parents: they may have been moved
    return open_to_append(log)
