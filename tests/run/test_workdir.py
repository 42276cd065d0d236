from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darts_tf.errors import InputError
from darts_tf.run.workdir import (
    Workdir,
    check_same_run,
    existing_workdir,
    open_workdir,
    read_settings,
)

ROOT = Path(__file__).parents[2]
FLAGS = {"epochs": 50, "method": "exact", "classes": [1, 2]}
HOLDER = """
import sys, time
from darts_tf.run.workdir import open_workdir
with open_workdir(sys.argv[1], {"epochs": 50}, ""):
    print("held", flush=True)
    time.sleep(60)
"""


def snapshot(folder: Path) -> dict:
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def message(error) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_first_start_makes_the_folder_and_keeps_the_flags(tmp_path):
    with open_workdir(tmp_path / "a/b", FLAGS, "--epochs=50\n") as workdir:
        assert workdir.path == tmp_path / "a/b"
        assert workdir.checkpoints.is_dir() and workdir.genotypes.is_dir()
        assert (workdir.path / "flags.txt").read_text() == "--epochs=50\n"
    assert read_settings(tmp_path / "a/b") == FLAGS
    assert existing_workdir(tmp_path / "a/b").metrics == (
        tmp_path / "a/b/metrics.jsonl"
    )


def test_the_same_flags_open_it_again(tmp_path):
    for _ in range(2):
        with open_workdir(tmp_path, FLAGS | {"classes": (1, 2)}, ""):
            pass


def test_other_flags_are_named_and_nothing_changes(tmp_path):
    with open_workdir(tmp_path, FLAGS, "--epochs=50\n"):
        pass
    (tmp_path / ".x.1.tmp").write_text("left over")
    before = snapshot(tmp_path)
    other = {"epochs": 5, "method": "exact", "seed": 3}
    with pytest.raises(InputError) as error:
        open_workdir(tmp_path, other, "--epochs=5\n")
    text = message(error)
    assert "`epochs`: the run has 50, given 5" in text
    assert "`seed`: the run has nothing, given 3" in text
    assert "`classes`: the run has [1, 2], given nothing" in text
    assert "`method`" not in text and "another `workdir`" in text
    assert snapshot(tmp_path) == before
    open_workdir(tmp_path, FLAGS, "").close()  # the lock was given back


def test_a_run_of_an_earlier_version_lacks_a_flag(tmp_path):
    """A newer version resumes it where the flag has its default."""
    open_workdir(tmp_path, FLAGS, "first").close()
    newer = {"defaults": {"shape": "old", "not_asked": 1}}
    with pytest.raises(InputError) as error:
        open_workdir(tmp_path, FLAGS | {"shape": "new"}, "", **newer)
    assert "`shape`: the run has old, given new" in message(error)
    assert read_settings(tmp_path) == FLAGS
    open_workdir(tmp_path, FLAGS | {"shape": "old"}, "", **newer).close()
    assert read_settings(tmp_path) == FLAGS | {"shape": "old"}
    assert (tmp_path / "flags.txt").read_text() == "first"


def test_a_run_of_another_program_is_named(tmp_path):
    open_workdir(tmp_path, FLAGS, "", program="search").close()
    before = snapshot(tmp_path)
    for check in (open_workdir_text, check_same_run):
        with pytest.raises(InputError) as error:
            check(tmp_path, FLAGS, program="evaluate")
        assert "a run of train.search, and this is train.evaluate" in message(error)
    with pytest.raises(InputError, match="`epochs`: the run has 50, given 3"):
        check_same_run(tmp_path, FLAGS | {"epochs": 3}, program="search")
    check_same_run(tmp_path, FLAGS | {"epochs": 3}, ignored=("epochs",))
    check_same_run(tmp_path / "new", FLAGS)
    assert snapshot(tmp_path) == before


def open_workdir_text(path, values, program):
    return open_workdir(path, values, "", program=program)


def test_ignored_flags_may_differ(tmp_path):
    open_workdir(tmp_path, FLAGS, "first").close()
    with open_workdir(tmp_path, FLAGS | {"epochs": 5}, "second", ignored=("epochs",)):
        pass
    assert read_settings(tmp_path) == FLAGS
    assert (tmp_path / "flags.txt").read_text() == "first"


@pytest.mark.parametrize("below", ["", "sub", "sub/sub"])
def test_a_file_in_the_way(tmp_path, below):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(InputError) as error:
        open_workdir(path / below, FLAGS, "")
    assert "a file is in the way" in message(error)
    assert path.read_text() == "mine"


def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        tmp_path = Path("/proc/self")  # not even root makes folders there
    with pytest.raises(InputError) as error:
        open_workdir(tmp_path / "run", FLAGS, "")
    assert "cannot be written" in message(error)


def test_a_full_disk_is_one_line_and_frees_the_folder(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("darts_tf.run.files.write_atomic", fail)
        with pytest.raises(InputError, match="No space left"):
            open_workdir(tmp_path, FLAGS, "")
    open_workdir(tmp_path, FLAGS, "").close()


def test_a_live_holder_is_named_and_a_killed_one_is_no_obstacle(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        before = snapshot(tmp_path)
        with pytest.raises(InputError) as error:
            open_workdir(tmp_path, {"epochs": 50}, "")
        assert f"process {holder.pid}" in message(error)
        assert snapshot(tmp_path) == before
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with open_workdir(tmp_path, {"epochs": 50}, ""):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_an_error_inside_the_block_gives_the_folder_back(tmp_path):
    with pytest.raises(RuntimeError):
        with open_workdir(tmp_path, FLAGS, ""):
            with pytest.raises(InputError, match="in use"):
                open_workdir(tmp_path, FLAGS, "")
            raise RuntimeError
    open_workdir(tmp_path, FLAGS, "").close()


def test_a_first_start_killed_before_its_flags_can_be_repeated(tmp_path):
    (tmp_path / "lock").write_text("1\n")
    (tmp_path / "flags.txt").write_text("--epochs=1\n")
    (tmp_path / ".config.json.1.tmp").write_text("{")
    with open_workdir(tmp_path, FLAGS, "--epochs=50\n"):
        assert (tmp_path / "flags.txt").read_text() == "--epochs=50\n"
    assert not list(tmp_path.glob(".*.tmp"))


def test_parts_of_a_run_without_its_flags_are_not_taken_over(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(InputError, match="no config.json"):
        open_workdir(tmp_path, FLAGS, "")
    assert os.listdir(tmp_path) == ["metrics.jsonl"]


def test_a_folder_of_before_config_json_goes_on(tmp_path):
    """Its flags.json stays, and a config.json comes beside it."""
    old = FLAGS | {"workdir": "/elsewhere"}
    (tmp_path / "flags.json").write_text(json.dumps(old))
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(InputError, match="`epochs`: the run has 50, given 5"):
        open_workdir(tmp_path, FLAGS | {"epochs": 5}, "", ignored=("workdir",))
    assert not (tmp_path / "config.json").exists()
    newer = {"ignored": ("workdir",), "defaults": {"shape": "old"}}
    open_workdir(tmp_path, FLAGS | {"shape": "old"}, "", **newer).close()
    assert read_settings(tmp_path) == FLAGS | {"shape": "old"}
    assert json.loads((tmp_path / "flags.json").read_text()) == old


@pytest.mark.parametrize("name", ["config.json", "flags.json"])
@pytest.mark.parametrize("content", [None, "{", "[1]", b"\xff"])
def test_what_is_no_folder_of_a_run(tmp_path, content, name):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    else:
        name = "config.json"
    for read in (read_settings, existing_workdir):
        with pytest.raises(InputError) as error:
            read(tmp_path)
        assert name in message(error)
    with pytest.raises(InputError):
        read_settings(tmp_path / "missing")


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "\0", "nul"])
def test_a_damaged_result_is_one_line(tmp_path, content):
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(InputError, match="result.json cannot be read .*; delete it"):
        Workdir(tmp_path).read_result()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe", None]
)
def test_damaged_settings_are_one_line(tmp_path, content):
    if content is None:
        os.mkfifo(tmp_path / "config.json")
    else:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InputError, match="config.json"):
        read_settings(tmp_path)
