"""The lines and the bar, where stderr is a file, a terminal or a notebook."""

from __future__ import annotations

import io
import math
import os
import pty
import sys

import pytest

from darts_tf.run.loop import progress
from darts_tf.run.loop.progress import Progress, duration
from darts_tf.run.loop.protocols import ENDLESS


class Screen(io.StringIO):
    """A terminal, or a file."""

    def __init__(self, terminal: bool):
        super().__init__()
        self.isatty = lambda: terminal


@pytest.fixture
def screen(monkeypatch):
    def use(terminal: bool) -> Screen:
        made = Screen(terminal)
        monkeypatch.setattr(sys, "stderr", made)
        return made

    return use


RECORD = {
    "kind": "steps",
    "step": 8,
    "epoch": 2,
    "seconds": 61.4,
    "train/loss": 0.123456,
    "learning_rate": 0.025,
    "images_per_second": 1234.5,
}


def test_the_line_of_an_epoch_has_the_numbers_of_all_records(screen):
    file = screen(terminal=False)
    progress_bar = Progress(0, 30, 3)
    progress_bar.epoch(2, 20, RECORD, {"valid/accuracy": 0.5, "seconds": 62.0})
    assert file.getvalue() == (
        "epoch 2/3, step 20/30, train/loss 0.1235, valid/accuracy 0.5, 62 s, "
        "learning rate 0.025\n"
    )


def long_record(**more) -> dict:
    rates = {f"instrument/number_{i}": 0.123456 for i in range(20)}
    return {**RECORD, **rates, "valid/loss": 1.5, "valid/accuracy": 0.25, **more}


def test_lines_stay_within_100_characters_and_losses_come_first(screen):
    file = screen(terminal=False)
    progress_bar = Progress(0, 19_500, 50)
    progress_bar.epoch(12, 4680, long_record())
    note, line = file.getvalue().splitlines()
    assert len(line) <= progress.WIDTH >= len(note)
    assert "train/loss 0.1235" in line and "valid/accuracy 0.25" in line


def test_the_two_modes_of_batch_norm_are_told_apart_once(screen):
    file = screen(terminal=False)
    progress_bar = Progress(0, 30, 3)
    for epoch in (1, 2):
        progress_bar.epoch(epoch, 10 * epoch, long_record())
    note, *lines = file.getvalue().splitlines()
    assert note.startswith("valid/loss* is that of alpha's steps: at w'")
    assert len(lines) == 2 and all("valid/loss* 1.5" in line for line in lines)


def test_a_text_has_no_batch_norm_to_tell_apart(screen):
    file = screen(terminal=False)
    Progress(0, 30, 3, units="words").epoch(1, 10, long_record())
    assert "*" not in file.getvalue()


def test_the_time_left_follows_the_steps_after_the_first(screen, monkeypatch):
    file, now = screen(terminal=False), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    progress_bar = Progress(10, 30, 3)
    progress_bar.epoch(1, 10, {})
    now[0] = 100.0  # the first step compiles
    progress_bar.step()
    progress_bar.epoch(1, 11, {})
    for now[0] in (102.0, 104.0):
        progress_bar.step()
    progress_bar.epoch(2, 13, {})
    lines = file.getvalue().splitlines()
    assert lines[:2] == ["epoch 1/3, step 10/30", "epoch 1/3, step 11/30"]
    assert lines[2] == "epoch 2/3, step 13/30, 0:00:34 h left"


def test_the_first_step_says_that_it_compiles(screen):
    file = screen(terminal=False)
    Progress(10, 30, 3).compiles()
    assert file.getvalue().startswith("step 11: compiling, ")
    Progress(10, 30, 3, units="evaluations").compiles()
    assert file.getvalue().count("compiling") == 1


@pytest.mark.parametrize(
    "total, position", [(30, "evaluation 20/30"), (ENDLESS, "evaluation 20")]
)
@pytest.mark.parametrize("terminal", [False, True])
def test_evaluations_are_counted_and_may_have_no_end(screen, total, position, terminal):
    file = screen(terminal)
    progress_bar = Progress(19, total, total // 10, units="evaluations")
    progress_bar.step()
    record = {"step": 20, "incumbent": 0.5, "evaluations_per_second": 0.0312}
    progress_bar.report(2, record)
    progress_bar.epoch(2, 20, record)
    progress_bar.close()
    text = file.getvalue()
    assert f"{position}, incumbent 0.5, 0.031 evaluations/s\n" in text
    assert "epoch" not in text and str(ENDLESS) not in text
    assert "left" not in text  # the only evaluation of this start


def test_a_file_hears_from_a_long_epoch_only_after_a_while(screen, monkeypatch):
    file, now = screen(terminal=False), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    progress_bar = Progress(0, 30, 3)
    for now[0] in (1.0, progress.QUIET_SECONDS, progress.QUIET_SECONDS + 1):
        before = file.getvalue()
        progress_bar.step()
        progress_bar.report(2, RECORD)
    assert before == ""
    line = file.getvalue()
    assert (
        line == "epoch 2/3, step 8, 1:07:30 h left, train/loss 0.1235, 1234 images/s\n"
    )
    progress_bar.report(2, RECORD)  # the wait begins anew
    assert file.getvalue() == line


def test_a_terminal_has_a_bar_of_the_whole_run_from_where_it_goes_on(screen):
    terminal = screen(terminal=True)
    progress_bar = Progress(10, 12, 3)
    assert "10/12" in terminal.getvalue()
    progress_bar.report(2, RECORD)
    progress_bar.step()
    progress_bar.step()
    progress_bar.close()
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("epoch 2/3 100%|") and "12/12" in last
    assert "train/loss 0.1235, 1234 images/s" in last
    assert "learning rate" not in last


@pytest.mark.parametrize("total", [30, 1_234_567])
def test_eighty_columns_hold_a_bar_and_the_time_left(screen, monkeypatch, total):
    terminal, now = screen(terminal=True), [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    progress_bar = Progress(total // 2, total, 600)
    for now[0] in (1.0, 200.0):
        progress_bar.step()
    progress_bar.report(599, long_record())
    progress_bar._bar.refresh()
    line = terminal.getvalue().split("\r")[-1].rstrip()
    progress_bar.close()
    assert len(line) <= 80 and " h left" in line
    assert line.count("#") >= 4 and f"/{total}" in line


def test_a_terminal_that_does_not_tell_its_size_has_a_bar(monkeypatch):
    parent, child = pty.openpty()  # 0 columns, 0 rows
    with open(child, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        progress_bar = Progress(0, 30, 3)
        progress_bar.step()
        progress_bar.close()
        shown = os.read(parent, 4000).decode()
    os.close(parent)
    assert "| 0/30" in shown and len(shown.split("\r")[1]) <= 80


def test_a_notebook_gets_lines_and_no_bar(monkeypatch):
    """Its stream has neither a terminal nor a file descriptor."""

    class Cell:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return False

    cell = Cell()
    monkeypatch.setattr(sys, "stderr", cell)
    run_a_step()
    assert cell.text == "epoch 1/1, step 1/1, 61 s\n"


def test_without_stderr_nothing_is_written(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    run_a_step()


def run_a_step() -> None:
    bar = Progress(0, 1, 1)
    bar.step()
    bar.report(1, RECORD)
    bar.epoch(1, 1, {"seconds": 61.4})
    bar.close()


def test_text_and_odd_values_do_not_break_a_line(screen):
    file = screen(terminal=False)
    odd = {"x": math.nan, "genotype": "text", "none": None, "ok": True}
    Progress(0, 1, 1).epoch(1, 1, odd)
    assert file.getvalue() == "epoch 1/1, step 1/1, x nan, ok 1\n"


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0:00:00 h"),
        (59.4, "0:00:59 h"),
        (59.6, "0:01:00 h"),
        (3599.5, "1:00:00 h"),
        (3723, "1:02:03 h"),
        (400_000, "111:06:40 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
