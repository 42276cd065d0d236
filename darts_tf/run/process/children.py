"""Child processes: started, logged, and told when their parent is to stop.

Each is in a session of its own. So Ctrl-C on a terminal reaches it once,
handed on by its parent, and not twice: a second signal would end it before
it has saved (`darts_tf.run.loop.stopping`). A second signal to the parent ends the
parent alone; whatever ends it, its children stop too (`darts_tf.run.process.parent_watch`).
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
from darts_tf.run.loop.stopping import StopRequest, exit_code
from darts_tf.run.process.parent_watch import Line

GPUS = "CUDA_VISIBLE_DEVICES"


@dataclasses.dataclass(frozen=True)
class Child:
    """A Python process and what it is for.

    Attributes:
      name: for people.
      command: Python's arguments.
      leaves: the file that is there once all of its work is done.
      log: the file that its output is added to; None: it goes where this
        process's own goes.
    """

    name: str
    command: tuple[str, ...]
    leaves: Path
    log: Path | None = None

    @property
    def finished(self) -> bool:
        """Whether its work is done, now or by an earlier start."""
        return self.leaves.exists()


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
      child: which.
      code: its exit code; 128 + n where signal n ended it.
      seconds: that it ran.
    """

    child: Child
    code: int
    seconds: float

    @property
    def finished(self) -> bool:
        """Not so where it failed, nor where it was told to stop (code 0)."""
        return self.code == 0 and self.child.finished


def groups(processes: int | None, gpus: Sequence[str] | None) -> list[list[str] | None]:
    """The GPUs of each of so many processes at a time.

    Args:
      processes: how many; None: one a GPU that is named, or one.
      gpus: shared out evenly; None: those of CUDA_VISIBLE_DEVICES. Where
        that names none either, each process sees what it sees.

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
            f"--processes={count}: there are {len(named)} GPUs "
            f"({','.join(named)}); give at most that, or name one twice in "
            f"--gpus to share it"
        )
    return [named[place::count] for place in range(count)]


class Parent:
    """Starts children while it is open, and hands the first signal on to them.

    After it no other one is started: such a child "ends" at once, with the
    exit code of a run that was told to stop.

    Attributes:
      signal: the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._stop = StopRequest(self._hand_on)
        self._lock = threading.Lock()
        self._living: set[subprocess.Popen] = set()

    def __enter__(self) -> Parent:
        self._line = Line()
        self._stop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.__exit__(*error)
        self._line.close()

    def run(self, child: Child, gpus: Sequence[str] | None = None) -> Ended:
        """Waits for the end of a child.

        Args:
          child: what is started.
          gpus: the only ones that it sees; None: those that this process
            sees.
        """
        start = time.monotonic()
        sys.stdout.flush()
        with _opened(child.log) as log:
            process = self._started(child, log, gpus)
            if process is None:
                return Ended(child, exit_code(self.signal), 0.0)
            code = process.wait()
        with self._lock:
            self._living.remove(process)
        seconds = time.monotonic() - start
        return Ended(child, code if code >= 0 else 128 - code, seconds)

    def run_all(
        self,
        children: Sequence[Child],
        groups: Sequence[Sequence[str] | None] = (None,),
    ) -> Iterator[Ended]:
        """Runs them in their order, as many at a time as there are groups.

        Args:
          children: what is to run.
          groups: of GPUs, one for each process at a time; see `run`.

        Yields:
          Each as it ends.
        """
        free: queue.SimpleQueue = queue.SimpleQueue()
        for group in groups:
            free.put(group)

        def one(child: Child) -> Ended:
            group = free.get()
            try:
                return self.run(child, group)
            finally:
                free.put(group)

        with ThreadPoolExecutor(len(groups)) as pool:
            futures = [pool.submit(one, child) for child in children]
            for future in as_completed(futures):
                yield future.result()

    def code(self, ended: Ended) -> int:
        """The exit code of one that can't go on without the child's work."""
        return exit_code(self.signal) if self.signal else ended.code

    def _started(self, child: Child, log, gpus) -> subprocess.Popen | None:
        environment = self._line.environment(os.environ)
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
                pass_fds=(self._line.reading,),
                start_new_session=True,
            )
            self._living.add(process)
        return process

    def _hand_on(self, number: signal.Signals) -> None:
        with self._lock:
            self.signal = number
            for process in self._living:
                process.send_signal(number)


def _opened(log: Path | None):
    if log is None:
        return contextlib.nullcontext()
    log.parent.mkdir(parents=True, exist_ok=True)
    return open(log, "ab")
