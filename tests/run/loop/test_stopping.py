"""The first signal is noted and announced; the second ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from darts_tf.run.loop.protocols import Alone
from darts_tf.run.loop.stopping import SIGNALS, StopRequest

ROOT = Path(__file__).parents[3]
# Sends itself two signals: between them it finishes no line of Python.
TWICE = """
import os, signal, sys, time
from darts_tf.run.loop.protocols import Alone
from darts_tf.run.loop.stopping import StopRequest
with StopRequest() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
    print(stop.signal.name, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)
"""


def eventually(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_announced(number, capfd):
    said = ""

    def announced() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return number.name in said

    with StopRequest() as stop:
        assert stop.signal is None
        os.kill(os.getpid(), number)
        eventually(lambda: stop.signal is not None)
        eventually(announced)
    assert stop.signal is number
    assert "saving after this step" in said and "once more" in said


def test_a_second_signal_ends_the_process_with_its_code():
    done = subprocess.run(
        [sys.executable, "-c", TWICE],
        capture_output=True,
        text=True,
        timeout=15,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stdout == "SIGTERM\n"
    assert done.stderr.count("saving") == 1


def test_what_came_before_an_inner_one_counts_for_it():
    with StopRequest() as outer:
        with StopRequest() as inner:
            assert inner.signal is None
        os.kill(os.getpid(), signal.SIGTERM)
        eventually(lambda: outer.signal is not None)
        with StopRequest() as inner:
            assert inner.signal is signal.SIGTERM
    with StopRequest() as later:
        assert later.signal is None


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            assert stop.signal is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_everything_is_given_back():
    def state():
        wakeup = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(wakeup)
        handlers = [signal.getsignal(number) for number in SIGNALS]
        return handlers, wakeup, threading.active_count()

    usual = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        before = state()
        with pytest.raises(ZeroDivisionError), StopRequest():
            assert state() != before
            raise ZeroDivisionError
        assert state() == before
    finally:
        signal.signal(signal.SIGTERM, usual)


def test_outside_of_the_main_thread_it_does_nothing():
    """The program's own handler gets the signal; the run goes on."""
    seen, received = [], threading.Event()
    usual = signal.signal(signal.SIGTERM, lambda *_: received.set())
    before = [signal.getsignal(n) for n in SIGNALS]

    def work():
        with StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            received.wait(10)
            seen.append(stop.among(Alone()))
            seen.append(StopRequest.noted())
            seen.append([signal.getsignal(n) for n in SIGNALS])

    thread = threading.Thread(target=work)
    try:
        thread.start()
        thread.join()
    finally:
        signal.signal(signal.SIGTERM, usual)
    assert received.is_set() and seen == [None, False, before]
