"""Talks to the process of a column of benchmarks/speed/beside_pytorch.py."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading

from darts_tf.errors import InputError


class ColumnProcess:
    """A process of a module that follows the protocol of step_worker.py.

    Made, it has taken its first step, or there is none.

    Args:
      command: the module and its flags.
      seconds: that it may take to its first step.

    Attributes:
      first_step: seconds; None where there is none.
      not_supported: why not, one line; None where there is one.
    """

    def __init__(self, command: list[str], seconds: float):
        # What torch.compile keeps on the disk would make the next one early.
        self._cache = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": self._cache.name},
        )
        late = threading.Event()
        timer = threading.Timer(seconds, self._give_up, [late])
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        said = json.loads(line) if line else {}
        self.first_step = said.get("first_step")
        self.not_supported = said.get("not_supported")
        if late.is_set():
            self.not_supported = f"no first step within {seconds:g} s"
        if self.not_supported or not line:
            code = self._close()
            ended = f"its process ended early, with code {code}"
            self.not_supported = self.not_supported or ended

    def _give_up(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def step(self) -> dict[str, float]:
        """Asks for one step; returns its seconds and CPU seconds.

        Raises:
          InputError: the process has ended.
        """
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise InputError(
                "a process of the benchmark ended before its last step; its "
                "own words are above (is there enough memory for all "
                "--columns of a row?)"
            )
        return json.loads(line)

    def end(self) -> float:
        """Ends the process; returns its peak memory, GB."""
        self._process.stdin.close()
        said = self._read()
        self._close()
        return said["peak_gb"]

    def _close(self) -> int:
        self._process.stdin.close()
        code = self._process.wait()
        self._process.stdout.close()
        self._cache.cleanup()
        return code
