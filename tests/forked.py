"""Processes forked from one that has imported TensorFlow: each saves the import.

Nothing of TensorFlow has run in that one, so that each fork may choose devices and
threads of its own. Environment variables are those of the first call, and a fork's own.
What no test of a program looks at is left out (tests/savings.py).
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).parents[1]
SERVER = """
import atexit, gc, os, runpy, sys, threading, traceback
sys.path.insert(0, os.getcwd())
from darts_tf.cli import entry_point
from darts_tf.run.process import quiet_tensorflow
from darts_tf.programs import derive, evaluate, export, search, perturbation
import json
import matplotlib.pyplot
import tensorflow as tf
from tests import savings

def use_two_devices():
    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)

def forked(
    module, script, arguments, devices, output, folder, environment, drawn
):
    pid = os.fork()
    if pid:
        return pid
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # The streams of the server were files or pipes; these may be the other.
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    if devices == 2:
        use_two_devices()
    if not drawn:
        savings.draw_dots()
    if folder:
        os.chdir(folder)
    sys.argv = [module or "-c", *arguments]
    code = 0
    try:
        if module:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    # As at Python's end, but modules are left alone: that takes long.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

def code_of(pid, options):
    ended, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if ended else None

savings.share_stack_trace()
gc.freeze()  # none of it is garbage: no fork looks through it again
for line in sys.stdin:
    request = json.loads(line)
    answer = code_of(**request) if "pid" in request else forked(**request)
    print(json.dumps(answer), flush=True)
"""


@functools.cache
def _server() -> subprocess.Popen:
    """Starts the process that forks; it ends with this one."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"MPLBACKEND": "agg"},
    )
    atexit.register(server.communicate)
    return server


def _answer(**request) -> int | None:
    """Sends the server a request; returns its answer."""
    server = _server()
    assert server.stdin and server.stdout
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())


def _fork(
    output, arguments, module, script, devices, folder, environment, drawn
) -> int:
    """Returns the process id of a module or a script that was started."""
    pid = _answer(
        module=module,
        script=script,
        arguments=[*map(str, arguments)],
        devices=devices,
        output=str(output),
        folder=str(folder or ""),
        environment=environment or {},
        drawn=drawn,
    )
    assert pid
    return pid


def run(
    output: pathlib.Path,
    *arguments: str,
    module: str | None = None,
    script: str | None = None,
    devices: int = 1,
    folder: pathlib.Path | None = None,
    environment: dict[str, str] | None = None,
    drawn: bool = False,
) -> int:
    """Returns the exit code of a module or a script; its output is in a file.

    It runs in `folder`, or in the root of the repository. Pictures are dots unless
    `drawn`.
    """
    pid = _fork(output, arguments, module, script, devices, folder, environment, drawn)
    code = _answer(pid=pid, options=0)
    assert code is not None
    return code


class Fork:
    """Behaves as the subprocess.Popen of a module or a script in the background."""

    def __init__(
        self,
        *arguments: str,
        module: str | None = None,
        script: str | None = None,
        environment: dict[str, str] | None = None,
    ):
        self.returncode: int | None = None
        with tempfile.TemporaryDirectory() as folder:
            pipe = pathlib.Path(folder) / "output"
            os.mkfifo(pipe)
            self.pid = _fork(
                pipe, arguments, module, script, 1, None, environment, False
            )
            self.stdout = pipe.open(errors="replace")  # once the fork opens it too

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *error: object) -> None:
        self.stdout.close()
        self.wait()

    def poll(self) -> int | None:
        """Returns the exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = _answer(pid=self.pid, options=os.WNOHANG)
        return self.returncode

    def wait(self) -> int:
        """Waits for the end; returns the exit code."""
        if self.returncode is None:
            self.returncode = _answer(pid=self.pid, options=0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Sends SIGKILL, unless the process has ended."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = 300) -> tuple[str, None]:
        """Returns all output until the end; kills what takes longer than so many s."""
        timer = threading.Timer(timeout, os.kill, (self.pid, signal.SIGKILL))
        timer.start()
        try:
            output = self.stdout.read()
            self.wait()
        finally:
            timer.cancel()
        return output, None
