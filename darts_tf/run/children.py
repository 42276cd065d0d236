"""Child processes: started, logged, and told when their parent is to stop.

Each is in a session of its own. So Ctrl-C on a terminal reaches it once,
handed on by its parent, and not twice: a second signal would end it before
it has saved (`darts_tf.run.stopping`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from darts_tf.errors import InputError
from darts_tf.run.stopping import StopRequest, exit_code

POLL_SECONDS = 0.2  # between two looks at the signals
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


def groups(
    processes: int | None, gpus: Sequence[str] | None
) -> list[list[str] | None]:
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


def run(
    child: Child, stop: StopRequest, gpus: Sequence[str] | None = None
) -> Ended:
    """Waits for the end of a child.

    Args:
      child: what is started.
      stop: whose signal is handed on.
      gpus: the only ones that it sees; None: those that this process sees.
    """
    start, environment = time.monotonic(), dict(os.environ)
    if gpus is not None:
        environment[GPUS] = ",".join(gpus)
    sys.stdout.flush()
    with _opened(child.log) as log:
        process = subprocess.Popen(
            [sys.executable, *child.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log and subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        code = _waited(process, stop)
    seconds = time.monotonic() - start
    return Ended(child, code if code >= 0 else 128 - code, seconds)


def run_all(
    children: Sequence[Child],
    stop: StopRequest,
    groups: Sequence[Sequence[str] | None] = (None,),
) -> Iterator[Ended]:
    """Runs them in their order, as many at a time as there are groups.

    After a signal no other one is started.

    Args:
      children: what is to run.
      stop: whose signal is handed on.
      groups: of GPUs, one for each process at a time; see `run`.

    Yields:
      Each as it ends.
    """
    free: queue.SimpleQueue = queue.SimpleQueue()
    for group in groups:
        free.put(group)

    def started(child: Child) -> Ended | None:
        if stop.signal:
            return None
        group = free.get()
        try:
            return run(child, stop, group)
        finally:
            free.put(group)

    with ThreadPoolExecutor(len(groups)) as pool:
        futures = [pool.submit(started, child) for child in children]
        for future in as_completed(futures):
            ended = future.result()
            if ended is not None:
                yield ended


def parents_code(ended: Ended, stop: StopRequest) -> int:
    """The exit code of a parent that can't go on without the child's work."""
    return exit_code(stop.signal) if stop.signal else ended.code


def _opened(log: Path | None):
    if log is None:
        return contextlib.nullcontext()
    log.parent.mkdir(parents=True, exist_ok=True)
    return open(log, "ab")


def _waited(process: subprocess.Popen, stop: StopRequest) -> int:
    told = False
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=POLL_SECONDS)
        if stop.signal and not told:
            process.send_signal(stop.signal)
            told = True
