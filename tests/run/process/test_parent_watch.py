"""Children end with their parent, and the next start waits for them."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from darts_tf.run.lock import FolderInUse, FolderLock
from darts_tf.run.process import parent_watch

ROOT = pathlib.Path(__file__).parents[3]

# A program of ours: notes the first signal, "saves" for a second, says so.
CHILD = """
import pathlib, sys, time
from darts_tf.run.process import parent_watch
from darts_tf.run.loop.stopping import StopRequest
here = pathlib.Path(sys.argv[1])
parent_watch.watch_parent()
with StopRequest() as request:
    (here / "ready").touch()
    for _ in range(200):
        if request.signal:
            break
        time.sleep(0.1)
    time.sleep(1)
    (here / "saved").write_text(str(int(request.signal or 0)))
"""

PARENT = """
import pathlib, sys
from darts_tf.run.process.children import (Child, Parent)
command = ("-c", sys.argv[2], sys.argv[1])
with Parent() as parent:
    parent.run(Child("child", command, pathlib.Path("saved")))
"""


@pytest.fixture
def family(tmp_path):
    """(the parent, once its child is ready)."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), CHILD],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    with process:
        assert appears(tmp_path / "ready")
        yield process
        process.kill()


def appears(path: pathlib.Path) -> bool:
    """Returns True if the path appears within half a minute."""
    ends = time.monotonic() + 30
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    return path.exists()


def saved(folder: pathlib.Path) -> str:
    assert appears(folder / "saved")
    time.sleep(0.2)  # written, not only there
    return (folder / "saved").read_text()


@pytest.mark.slow
def test_a_child_is_told_to_stop_where_its_parent_is_killed(family, tmp_path):
    family.kill()
    assert saved(tmp_path) == str(int(signal.SIGTERM))


@pytest.mark.slow
def test_one_that_is_stopping_already_is_left_to_it(family, tmp_path):
    """A second signal to the parent ends the parent alone."""
    family.send_signal(signal.SIGINT)
    time.sleep(0.3)
    family.send_signal(signal.SIGINT)
    assert family.wait(10) == 128 + signal.SIGINT
    assert saved(tmp_path) == str(int(signal.SIGINT))


@pytest.mark.parametrize("value", ["", "no number", "99999"])
def test_a_name_in_the_environment_that_is_not_ours(monkeypatch, value):
    monkeypatch.setattr(parent_watch, "_watching", parent_watch.threading.Event())
    monkeypatch.setenv(parent_watch.VARIABLE, value)
    parent_watch.watch_parent()  # and nothing happens
    time.sleep(0.1)
    assert parent_watch.VARIABLE not in os.environ


HOLDS = """
import pathlib, sys, time
from darts_tf.run.lock import FolderLock
lock = FolderLock(pathlib.Path(sys.argv[1]))
lock.sign()
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(folder, seconds: float) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder), str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.mark.slow
def test_a_child_waits_for_one_that_is_saving(tmp_path, monkeypatch):
    monkeypatch.setattr(parent_watch, "seconds_to_wait", lambda: 20.0)
    with holder(tmp_path, 1.0):
        FolderLock(tmp_path).release()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.6])
def test_but_not_for_ever(tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(parent_watch, "seconds_to_wait", lambda: seconds)
    with holder(tmp_path, 20) as process:
        with pytest.raises(FolderInUse, match=f"process {process.pid}"):
            FolderLock(tmp_path)
        process.kill()
