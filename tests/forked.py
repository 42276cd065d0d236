"""Processes forked from one that has imported TensorFlow: each saves the import.

Nothing of TensorFlow has run in that one, so that each fork may choose devices and
threads of its own. Environment variables are those of the first call.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
SERVER = """
import os, runpy, sys
sys.path.insert(0, os.getcwd())
from darts_tf.cli import entry_point
from darts_tf.run.process import quiet_tensorflow
from darts_tf.programs import derive, evaluate, export, search, perturbation
import json
import matplotlib.pyplot
import tensorflow as tf

def use_two_devices():
    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)

def forked(module, script, arguments, devices, output, folder):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number in (1, 2):
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)
    if devices == 2:
        use_two_devices()
    if folder:
        os.chdir(folder)
    sys.argv = [module or "-c", *arguments]
    if module:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
    sys.exit(0)

for line in sys.stdin:
    print(forked(**json.loads(line)), flush=True)
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


def run(
    output: pathlib.Path,
    *arguments: str,
    module: str | None = None,
    script: str | None = None,
    devices: int = 1,
    folder: pathlib.Path | None = None,
) -> int:
    """Returns the exit code of a module or a script; its output is in a file.

    It runs in `folder`, or in the root of the repository.
    """
    server = _server()
    assert server.stdin and server.stdout
    request = {
        "module": module,
        "script": script,
        "arguments": [*map(str, arguments)],
        "devices": devices,
        "output": str(output),
        "folder": str(folder or ""),
    }
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())
