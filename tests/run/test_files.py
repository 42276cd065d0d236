from __future__ import annotations

import errno
import os

import pytest

from darts_tf.run import files


def test_text_and_bytes_replace_the_old_content(tmp_path):
    path = tmp_path / "a.txt"
    files.write_atomic(path, "longer than what follows")
    files.write_atomic(path, "é")
    assert path.read_bytes() == "é".encode()
    files.write_atomic(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failure_while_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_atomic(path, "old")
    with pytest.raises(KeyboardInterrupt):
        with files.atomic_file(path) as stream:
            stream.write(b"half")
            stream.flush()
            assert path.read_text() == "old"
            raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_failing_move_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_atomic(path, "old")

    def fail(*_):
        raise OSError("disk")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        files.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_content_is_on_the_disk_before_the_move(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append("fsync"), fsync(fd)))
    monkeypatch.setattr(
        os, "replace", lambda a, b: (calls.append("replace"), replace(a, b))
    )
    files.write_atomic(tmp_path / "a.txt", "new")
    assert calls == ["fsync", "replace", "fsync"]


def test_new_files_have_the_usual_rights(tmp_path):
    files.write_atomic(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_has_no_nan(tmp_path):
    path = tmp_path / "a.json"
    files.write_json_atomic(path, {"a": [1, 2.5]})
    with pytest.raises(ValueError):
        files.write_json_atomic(path, {"a": float("nan")})
    assert path.read_text() == '{\n  "a": [\n    1,\n    2.5\n  ]\n}\n'


def test_only_temporary_files_are_removed(tmp_path):
    for name in (".a.json.12.tmp", "a.json", ".hidden", "b.tmp"):
        (tmp_path / name).write_text("x")
    files.remove_temporary(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "a.json", "b.tmp"]


def test_a_file_is_added_to_but_never_through_a_link(tmp_path):
    path, link, victim = (tmp_path / name for name in ("a", "link", "victim"))
    for part in (b"one", b"two"):
        with files.open_to_append(path) as stream:
            stream.write(part)
    assert path.read_bytes() == b"onetwo"
    link.symlink_to(victim)
    for exists in (False, True):
        if exists:
            victim.write_text("precious")
        with pytest.raises(OSError) as error:
            files.open_to_append(link)
        assert error.value.errno == errno.ELOOP and victim.exists() == exists
    assert victim.read_text() == "precious"


def test_a_planted_link_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("precious")
    planted = tmp_path / f".a.{os.getpid()}.tmp"
    planted.symlink_to(tmp_path / "mine")
    files.write_atomic(tmp_path / "a", "new")
    assert (tmp_path / "mine").read_text() == "precious"
    assert (tmp_path / "a").read_text() == "new" and not planted.is_symlink()
