"""Several searches in turn: their order, what is passed over, failures."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from tests.protocol.stub import FAKED, make, searched

pytestmark = pytest.mark.program

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """(starts the program, the stub of its children)."""
    stub = make(tmp_path)
    stub.rule("train.search", files=searched(0))
    for name in "ab":
        (tmp_path / f"{name}.flags").touch()

    def started(code: int, second: str = "b.flags") -> str:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                FAKED,
                stub.program,
                "benchmarks.studies.searches",
                f"--flagfiles={tmp_path / 'a.flags'},{tmp_path / second}",
                "--seeds=0,1",
                f"--out={tmp_path / 'out'}",
                "--more=--epochs=1",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stderr
        return done.stderr

    return started, stub


def test_all_first_seeds_come_first_and_a_failure_ends_it(run, tmp_path):
    start, stub = run
    stub.rule("b/seed_1", code=7)
    start(7)
    folders = [words[-2].rpartition("out/")[2] for words in stub.calls()]
    assert folders == ["a/seed_0", "b/seed_0", "a/seed_1", "b/seed_1"]
    assert all(words[-1] == "--epochs=1" for words in stub.calls())
    stub.rules.pop(0)
    stub.rule("train.search", files=searched(0))
    stub.forget()
    start(0)
    assert len(stub.calls()) == 1


def test_flagfiles_of_one_name_would_share_a_folder(run, tmp_path):
    start, stub = run
    (tmp_path / "s4").mkdir()
    (tmp_path / "s4/a.flags").touch()
    assert "an --out of its own" in start(2, "s4/a.flags")
    assert not stub.calls()
