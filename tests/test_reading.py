"""Only regular files are read, and never without a bound."""

from __future__ import annotations

import os
import signal

import pytest

from darts_tf import reading
from darts_tf.errors import InputError


@pytest.fixture(autouse=True)
def in_time():
    signal.alarm(20)
    yield
    signal.alarm(0)


def test_special_files_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for path, reason in (
        (tmp_path / "fifo", "a FIFO"),
        (tmp_path, "a folder"),
        ("/dev/zero", "a device"),
        (tmp_path / "loop", "symbolic links"),
        (tmp_path / "none", "No such file"),
    ):
        with pytest.raises(OSError) as caught:
            reading.read_bytes(path)
        assert reason in reading.reason_of(caught.value)


def test_more_than_the_limit_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert reading.read_bytes(tmp_path / "a", limit=5) == b"12345"
    with pytest.raises(OSError, match="larger than the 4 bytes"):
        reading.read_bytes(tmp_path / "a", limit=4)


@pytest.mark.parametrize("text", ["[" * 200_000, "[" * 150 + "]" * 150, '{"a":' * 9])
def test_deep_nesting_and_what_is_no_json(text):
    with pytest.raises(ValueError):
        reading.parse_json(text)


def test_a_home_folder_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert reading.expanded("~/runs") == tmp_path / "runs"
    assert str(reading.expanded("runs/~a")) == "runs/~a"
    with pytest.raises(InputError, match="~nobody_of_this_name has no home folder"):
        reading.expanded("~nobody_of_this_name/runs")


def test_a_folder_is_found_from_home_and_nothing_else_is_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.zip").touch()
    (tmp_path / "photos").mkdir()
    found = reading.existing_folder("~/photos", "data_dir")
    assert found == tmp_path / "photos"
    with pytest.raises(InputError, match="`path=~/none` is no folder; give"):
        reading.existing_folder("~/none", "path")
    with pytest.raises(InputError, match=r"is no folder \(unpack it first\); give"):
        reading.existing_folder(tmp_path / "a.zip", "path")


def test_a_key_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="'a' is there twice"):
        reading.parse_json('[{"a": 1, "b": 2, "a": 3}]')


def test_json_comes_back(tmp_path):
    (tmp_path / "a").write_text('{"a": [1, {"b": null}]}')
    assert reading.read_json(tmp_path / "a") == {"a": [1, {"b": None}]}
