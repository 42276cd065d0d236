"""Children are started, logged, stopped, and never too many at a time."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from darts_tf.errors import InputError
from darts_tf.run.process import children
from darts_tf.run.process.children import Child, Parent

# Says that it is there, waits for a signal, says which, leaves its file.
WAITS = """
import pathlib, signal, sys, time
def on_signal(number, frame):
    pathlib.Path({leaves!r}).write_text(str(number))
    sys.exit(0)
signal.signal(signal.SIGTERM, on_signal)
signal.signal(signal.SIGINT, on_signal)
pathlib.Path({ready!r}).touch()
time.sleep(20)
"""


def child(tmp_path, code: str, name: str = "a", log: bool = True) -> Child:
    leaves = tmp_path / f"{name}.done"
    text = code.format(leaves=str(leaves), ready=str(tmp_path / name))
    return Child(
        name,
        ("-IS", "-c", text),
        leaves,
        tmp_path / f"logs/{name}.log" if log else None,
    )


def test_a_finished_one_has_left_its_file(tmp_path):
    with Parent() as parent:
        done = parent.run(child(tmp_path, "open({leaves!r}, 'w')"))
        ended = parent.run(child(tmp_path, "", "b"))
    assert done.finished and done.code == 0 and done.seconds > 0
    assert ended.code == 0 and not ended.finished


@pytest.mark.parametrize(
    "code, wanted",
    [
        ("import sys; sys.exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 128 + 9),
    ],
)
def test_codes(tmp_path, code, wanted):
    with Parent() as parent:
        ended = parent.run(child(tmp_path, code))
        assert (ended.code, parent.code(ended)) == (wanted, wanted)
    assert not ended.finished


def test_a_log_has_all_that_was_said_at_every_start(tmp_path, capfd):
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    with Parent() as parent:
        for _ in range(2):
            ended = parent.run(child(tmp_path, code))
        parent.run(child(tmp_path, code, "b", log=False))
    assert ended.child.log.read_text() == "out\nerr\n" * 2
    assert capfd.readouterr() == ("out\n", "err\n")


def test_not_more_at_a_time_than_there_are_groups(tmp_path):
    code = """
import os, pathlib, time
here = pathlib.Path({ready!r}).parent
mine = here / ("living_" + str(os.getpid()))
mine.touch()
print(len(list(here.glob("living_*"))), os.environ["CUDA_VISIBLE_DEVICES"])
time.sleep(0.1)
mine.unlink()
open({leaves!r}, "w")
"""
    many = [child(tmp_path, code, str(k)) for k in range(5)]
    with Parent() as parent:
        ended = list(parent.run_all(many, [["0"], ["1", "2"]]))
    assert all(e.finished for e in ended) and len(ended) == 5
    said = [one.log.read_text().split() for one in many]
    assert {int(count) for count, _ in said} <= {1, 2}
    assert {gpus for _, gpus in said} == {"0", "1,2"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_handed_on_and_starts_nothing_more(tmp_path, number):
    two = [child(tmp_path, WAITS, name) for name in ("a", "b")]

    def send() -> None:
        end = time.monotonic() + 10
        while not (tmp_path / "a").exists() and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    with Parent() as parent:
        sender.start()
        first, second = parent.run_all(two)
        sender.join()
        assert parent.signal == number
        stopped = 0 if number == signal.SIGTERM else 130
        assert parent.code(second) == second.code == stopped
    assert two[0].leaves.read_text() == str(int(number))
    assert first.child is two[0] and not (tmp_path / "b").exists()


def test_children_have_sessions_of_their_own(tmp_path):
    """A terminal's Ctrl-C reaches the parent alone."""
    code = "import os; print(os.getsid(0) == os.getpid())"
    with Parent() as parent:
        ended = parent.run(child(tmp_path, code))
    assert ended.child.log.read_text() == "True\n"


@pytest.mark.parametrize(
    "processes, gpus, environment, wanted",
    [
        (None, None, None, [None]),
        (2, None, None, [None, None]),
        (2, None, "", [None, None]),
        (None, None, "0,1", [["0"], ["1"]]),
        (1, None, "0,1", [["0", "1"]]),
        (2, ["3", "4", "5"], "0", [["3", "5"], ["4"]]),
        (None, ["0", "0"], None, [["0"], ["0"]]),
    ],
)
def test_groups_of_gpus(monkeypatch, processes, gpus, environment, wanted):
    monkeypatch.delenv(children.GPUS, raising=False)
    if environment is not None:
        monkeypatch.setenv(children.GPUS, environment)
    assert children.groups(processes, gpus) == wanted


def test_more_processes_than_gpus():
    with pytest.raises(InputError, match="`processes=3`: there are 2 GPUs"):
        children.groups(3, ["0", "1"])


def test_what_cannot_be_started_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with Parent() as parent, pytest.raises(FileNotFoundError):
        parent.run(child(tmp_path, ""))
