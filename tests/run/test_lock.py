"""One holder at a time; that of another process: test_workdir.py."""

from __future__ import annotations

import fcntl
import os

import pytest

from darts_tf.errors import InputError
from darts_tf.run.lock import NAME, FolderLock


def test_a_second_holder_is_refused_and_names_the_first(tmp_path):
    first = FolderLock(tmp_path)
    first.sign()
    with pytest.raises(InputError) as error:
        FolderLock(tmp_path)
    text = str(error.value)
    assert "\n" not in text and str(tmp_path) in text
    assert f"process {os.getpid()})" in text and "another `workdir`" in text
    first.release()


def test_a_holder_that_has_not_signed_is_unknown(tmp_path):
    first = FolderLock(tmp_path)
    with pytest.raises(InputError, match="process unknown"):
        FolderLock(tmp_path)
    first.release()


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
    assert len(os.listdir("/proc/self/fd")) == before - 1


def test_a_disk_without_locks_is_said(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(InputError, match=r"cannot be locked \(No locks"):
        FolderLock(tmp_path)


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "missing")
