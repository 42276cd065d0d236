"""A column's process, with modules that only say what is asked for."""

from __future__ import annotations

import textwrap

import pytest

from benchmarks.speed.column_process import ColumnProcess
from darts_tf.errors import InputError

pytestmark = pytest.mark.program


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Makes a module of a text; its command."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:.")

    def make(text):
        (tmp_path / "column.py").write_text(textwrap.dedent(text))
        return ["column"]

    return make


def test_steps_until_the_end(module):
    process = ColumnProcess(
        module("""
        from benchmarks.speed import step_worker
        step_worker.serve(lambda: None)
    """),
        60,
    )
    assert process.first_step > 0 and process.not_supported is None
    assert process.step().keys() == {"seconds", "cpu_seconds"}
    assert 0 < process.end() < 10


def test_a_refusal_is_told_in_one_line(module):
    process = ColumnProcess(
        module("""
        from benchmarks.speed import step_worker
        def step():
            raise RuntimeError("not | twice\\nat all")
        step_worker.serve(step, None, (RuntimeError,))
    """),
        60,
    )
    assert process.first_step is None
    assert process.not_supported == "not / twice"


def test_no_first_step_in_time(module):
    process = ColumnProcess(module("import time; time.sleep(60)"), 0.5)
    assert process.not_supported == "no first step within 0.5 s"


def test_an_early_end_is_told_with_its_code(module):
    process = ColumnProcess(module("raise SystemExit(3)"), 60)
    assert process.not_supported == "its process ended early, with code 3"


def test_an_end_between_steps_is_an_error(module):
    process = ColumnProcess(
        module("""
        from benchmarks.speed import step_worker
        step_worker.say(first_step=1.0)
        input()
    """),
        60,
    )
    with pytest.raises(InputError, match="before its last step"):
        process.step()
    with pytest.raises(InputError, match="before its last step"):
        process.step()
