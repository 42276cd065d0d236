"""--help has what matters on a screen; --helpfull everything, under headings."""

from __future__ import annotations

import dataclasses
import inspect
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from darts_tf import config as configs
from darts_tf.cli import program_help
from darts_tf.cli.__main__ import PROGRAMS, listing

ROOT = Path(__file__).parents[2]
KINDS = {
    "search": configs.SearchConfig,
    "evaluate": configs.TrainingConfig,
    "derive": configs.DerivationConfig,
    "export": configs.ExportConfig,
    "latency": configs.LatencyConfig,
    "experiment": configs.ExperimentConfig,
    "compare": configs.ComparisonConfig,
    "pipeline": configs.PipelineConfig,
}
MOST = 12
WITHOUT_WORKDIR = ("compare", "latency")


def text(make, program: str) -> str:
    doc = inspect.getdoc(PROGRAMS[program])
    return make(program, KINDS[program], doc, program not in WITHOUT_WORKDIR)


def flags_of(shown: str) -> list[str]:
    return re.findall(r"^  --(?:\[no\])?(\w+)", shown, re.M)


@pytest.mark.parametrize("program", KINDS)
def test_help_has_at_most_twelve_flags_that_exist_and_an_example(program):
    shown = text(program_help.short, program)
    names = flags_of(shown)
    fields = {field.name for field in dataclasses.fields(KINDS[program])}
    assert len(names) == min(MOST, len(fields) + (program not in WITHOUT_WORKDIR))
    assert {*names} <= fields | {"workdir"}
    assert max(map(len, shown.splitlines())) <= 80
    assert f"Example:\n  python -m train.{program} " in shown


@pytest.mark.parametrize("program", KINDS)
def test_helpfull_has_every_flag_once_under_a_heading(program):
    shown = text(program_help.full, program)
    names = flags_of(shown)
    fields = [field.name for field in dataclasses.fields(KINDS[program])]
    others = ["flagfile", "only_check_args"]
    others += ["workdir"] if program not in WITHOUT_WORKDIR else []
    assert sorted(names) == sorted([*fields, *others])
    assert max(map(len, shown.splitlines())) <= 80
    if program == "search":
        for heading in ("Gradient descent on w", "The search strategy and its budget"):
            assert f"\n\n{heading}\n  --" in shown


@pytest.mark.parametrize("program", KINDS)
def test_every_short_text_is_of_a_flag(program):
    fields = {f.name for kind in KINDS.values() for f in dataclasses.fields(kind)}
    assert {*program_help.TEXTS} <= fields | {"workdir"}
    example = program_help.EXAMPLES[program]
    for name in re.findall(r"--(\w+)", example):
        assert name in {f.name for f in dataclasses.fields(KINDS[program])} | {
            "workdir",
            "flagfile",
        }
    for path in re.findall(r"--flagfile=(\S+)", example):
        assert (ROOT / path).is_file()


def test_the_programs_are_listed_one_a_line():
    done = subprocess.run(
        [sys.executable, "-m", "train"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and listing("python -m train.") in done.stdout
    lines = re.findall(r"^  python -m train\.(\w+) +\S.*$", done.stdout, re.M)
    assert lines[0] == "pipeline" and {*lines} == {*KINDS}
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_a_program_prints_its_help(flag):
    done = subprocess.run(
        [sys.executable, "-m", "train.export", flag],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--format" in done.stdout and "--pdb" not in done.stdout


def test_a_terminal_reads_a_word_before_tensorflow_is_loaded(tmp_path):
    """From Enter to the first word: half a second on an idle core."""
    parent, child = pty.openpty()
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "train.export", f"--workdir={tmp_path}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=child,
    )
    try:
        first = os.read(parent, 200)
        seconds = time.monotonic() - start
    finally:
        process.kill()
        process.wait()
        os.close(parent)
        os.close(child)
    assert first.startswith(b"loading TensorFlow ...")
    assert seconds < 30  # a loaded machine
