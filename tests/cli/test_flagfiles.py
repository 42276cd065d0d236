"""Flagfiles that are none, or lead to each other."""

from __future__ import annotations

import os
import signal

import pytest

from darts_tf.cli import flagfiles
from darts_tf.errors import InputError


@pytest.fixture(autouse=True)
def in_time():
    signal.alarm(20)
    yield
    signal.alarm(0)


def refusal(path) -> str:
    with pytest.raises(InputError) as caught:
        flagfiles.check([f"--flagfile={path}"])
    return str(caught.value)


def test_files_within_files_are_read(tmp_path):
    (tmp_path / "a").write_text(f"# a\n--flagfile={tmp_path / 'b'}\n--x=1\n")
    (tmp_path / "b").write_text("--y=2\n")
    flagfiles.check(["--flagfile", str(tmp_path / "a"), f"--flagfile={tmp_path / 'b'}"])
    flagfiles.check(["--", "--flagfile=none"])


def test_files_that_include_each_other(tmp_path):
    for here, there in ("ab", "ba"):
        line = f"--flagfile={tmp_path / there}\n"
        (tmp_path / here).write_text(2 * line)
    assert "includes itself" in refusal(tmp_path / "a")


def test_files_that_double_at_each_level(tmp_path):
    for i in range(40):
        line = f"--flagfile={tmp_path / str(i + 1)}\n"
        (tmp_path / str(i)).write_text(2 * line)
    (tmp_path / "40").write_text("")
    assert "include more than 64 others" in refusal(tmp_path / "0")


def test_what_is_no_text_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in {
        "fifo": "FIFO",
        "bytes": "no UTF-8",
        "loop": "symbolic links",
        "none": "No such file",
        "": "a folder",
    }.items():
        assert reason in refusal(tmp_path / name)
    assert "a device" in refusal("/dev/zero")


@pytest.mark.parametrize(
    "text, words",
    [
        ("\ufeff--epochs=3\n", "line 1: begins with a byte order mark"),
        ('--epochs=3\n--workdir="runs/a b"\n', "line 2: has quotes around its value"),
        ("--dataset='digits'\n", "'digits', which no shell takes away"),
    ],
)
def test_what_editors_and_shells_allow(tmp_path, text, words):
    (tmp_path / "a").write_text(text)
    assert words in refusal(tmp_path / "a")
    (tmp_path / "a").write_text("# it's a \"comment\"\n--dataset=it's\n")
    flagfiles.check([f"--flagfile={tmp_path / 'a'}"])
