"""One holder at a time; that of another process: test_workdir.py."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest

from darts_tf.errors import InputError
from darts_tf.run.lock import NAME, FolderInUse, FolderLock, check_free

AT_ONCE = """
import pathlib, sys
from darts_tf.errors import InputError
from darts_tf.run.lock import FolderLock
print("ready", flush=True)
sys.stdin.readline()
try:
    lock = FolderLock(pathlib.Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()
except InputError as error:
    print(error, flush=True)
"""


def test_a_second_holder_is_refused_and_names_the_first(tmp_path):
    first = FolderLock(tmp_path)
    first.sign()
    with pytest.raises(InputError) as error:
        FolderLock(tmp_path)
    text = str(error.value)
    assert "\n" not in text and str(tmp_path) in text
    assert f"process {os.getpid()})" in text and "another `workdir`" in text
    first.release()


def test_a_folder_is_free_where_nobody_holds_it(tmp_path):
    check_free(tmp_path)
    assert not (tmp_path / NAME).exists()
    first = FolderLock(tmp_path)
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        check_free(tmp_path)
    first.release()
    check_free(str(tmp_path))
    FolderLock(tmp_path).release()


def test_a_holder_that_has_not_signed_is_unknown(tmp_path):
    first = FolderLock(tmp_path)
    (tmp_path / NAME).write_text("")
    with pytest.raises(InputError, match="process unknown"):
        FolderLock(tmp_path)
    first.release()


@pytest.mark.parametrize("end", ["moved", "removed", "replaced", "in a file"])
def test_a_held_folder_that_has_gone(tmp_path, end):
    folder = tmp_path / "held"
    folder.mkdir()
    lock = FolderLock(folder)
    lock.check_place()
    if end == "removed":
        (folder / NAME).unlink()
        folder.rmdir()
    else:
        folder.rename(tmp_path / "moved")
    if end == "replaced":
        folder.mkdir()
    if end == "in a file":
        folder.write_text("")
    with pytest.raises(FileNotFoundError, match="was moved or removed") as error:
        lock.check_place()
    assert error.value.filename == str(folder)
    lock.release()


def test_released_twice_it_can_be_taken_again(tmp_path):
    for left in ("a long name of a former holder", ""):
        lock = FolderLock(tmp_path)
        lock.sign()
        assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
        lock.release()
        lock.release()
        (tmp_path / NAME).write_text(left)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc")
def test_refused_or_not_the_file_is_closed(tmp_path):
    held = FolderLock(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(InputError):
            FolderLock(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
    held.release()
    assert len(os.listdir("/proc/self/fd")) == before - 2


def test_a_disk_without_locks_is_said(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(InputError, match=r"cannot be locked \(No locks"):
        FolderLock(tmp_path)


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "missing")


def test_removing_the_file_lets_no_second_one_in(tmp_path):
    first = FolderLock(tmp_path)
    (tmp_path / NAME).unlink()
    with pytest.raises(InputError, match="is in use by a live run"):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()


def test_a_planted_link_or_fifo_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / NAME).symlink_to(tmp_path / "mine")
    with pytest.raises(OSError):
        FolderLock(tmp_path)
    assert (tmp_path / "mine").read_text() == "precious"
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(InputError, match="no regular file"):
        FolderLock(tmp_path)


def test_of_ten_at_once_one_runs_and_nine_name_it(tmp_path):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(10)
    ]
    assert all(child.stdout.readline() == "ready\n" for child in children)
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.stdout.readline() for child in children]
    (holder,) = [c for c, line in zip(children, said) if line == "held\n"]
    others = [line for line in said if line != "held\n"]
    assert all(f"(process {holder.pid})" in line for line in others), said
    holder.kill()  # leaves nothing behind that keeps another one out
    holder.wait()
    FolderLock(tmp_path).release()
    for child in children:
        child.communicate()
