"""The protocol as a user starts it: its codes, its lines, and one true run."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from darts_tf.config import ComparisonConfig
from darts_tf.errors import InputError
from darts_tf.programs import compare
from darts_tf.protocol import flagfiles, folder
from tests import registries
from tests.programs.test_plugin import PLUGIN
from tests.protocol.stub import FAKED, Stub, make, searched, trained

ROOT = pathlib.Path(__file__).parents[2]
SPACE = (
    "--dataset=digits",
    "--examples=100",
    "--space=twofold",
    "--channels=2",
    "--layers=3",
    "--batch_size=16",
    "--epochs=1",
    "--noflip",
)


@pytest.fixture
def stub(tmp_path) -> Stub:
    found = make(tmp_path)
    found.rule("train.evaluate", files=trained(0.5, 0.25))
    found.rule("train.search", files=searched(0))
    found.rule("check")
    return found


def start(stub, *flags, program: str = "experiment") -> subprocess.Popen:
    words = [stub.program, f"train.{program}", *map(str, flags)]
    return subprocess.Popen(
        [sys.executable, "-c", FAKED, *words],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(stub, *flags, code: int = 0, program: str = "experiment"):
    """(stdout, stderr) of the program, whose exit code is checked."""
    with start(stub, *flags, program=program) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out, err


@pytest.fixture
def flags(tmp_path) -> tuple[str, ...]:
    (tmp_path / "search.flags").write_text("--dataset=digits\n")
    (tmp_path / "short.flags").write_text("--valid_fraction=0.5\n")
    return (
        f"--workdir={tmp_path / 'run'}",
        "--search_seeds=1",
        f"--search_flags={tmp_path / 'search.flags'}",
        "--evaluate_seeds=1",
        f"--short_flags={tmp_path / 'short.flags'}",
        f"--evaluate_flags={tmp_path / 'short.flags'}",
    )


def test_from_the_first_search_to_the_table(stub, flags, tmp_path):
    out, err = run(stub, *flags)
    assert "Test error, %, each training: 25.00." in out
    assert "search_0: finished in" in err and "full_0: finished" in err
    assert "h; search: none left" in err or "h; search: 1 left, about 0:0" in err
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {
        "results.json",
        "table.md",
        "table.tex",
        "progress.png",
        "report.html",
        "logs",
        "cells",
        "flags.txt",
    } <= names
    checked = [words[2] for words in stub.calls("check")]
    assert checked == ["train.search", "train.evaluate"]  # two are one file
    out, _ = run(
        stub,
        f"--experiments={tmp_path / 'run'}",
        f"--out={tmp_path / 'out'}",
        "--published=cifar10",
        program="compare",
    )
    assert "| DARTS (second order) + cutout (published) |" in out
    assert "| 25.00 (1) |" in out and "costs are GPU-days" in out
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "compare.md",
        "compare.tex",
        "compare.png",
        "report.html",
    }


def test_a_failure_is_code_1_and_the_report_says_it(stub, flags, tmp_path):
    stub.rule("/full/", code=4, says="error: too hot")
    out, err = run(stub, *flags, code=1)
    assert "- full_0: failed with exit code 4 (error: too hot)" in out
    assert "full_0: failed with exit code 4" in err
    assert "Traceback" not in err
    stub.rules.pop(0)
    stub.rule("/full/", files=trained(test=0.2))
    out, _ = run(stub, *flags)
    assert "20.00" in out and "Missing" not in out


def test_stages_and_tasks_for_array_jobs(stub, flags, tmp_path):
    run(stub, *flags, "--stage=search", "--task=0")
    _, err = run(stub, *flags, "--stage=full", "--task=0", code=2)
    assert "error: full_0 cannot begin: it needs a finished short" in err
    run(stub, *flags, "--stage=short")
    assert not (tmp_path / "run" / "results.json").exists()
    out, _ = run(stub, *flags, "--stage=report", code=1)
    assert "- full_0: not finished" in out


def test_sigterm_ends_it_with_0_and_it_goes_on(stub, flags, tmp_path):
    search = "/search/seed_0"
    stub.rule(search, seconds=60)
    process = start(stub, *flags)
    end = time.monotonic() + 60
    while not stub.calls(search) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "stopped by SIGTERM; the same command goes on" in err
    assert len(stub.calls(search)) == 1
    stub.rules.pop(0)
    stub.rule(search, files=searched(0))
    run(stub, *flags)


@pytest.mark.parametrize(
    "more, told",
    [
        (["--search_seeds=0"], "--search_seeds=0 must be at least 1"),
        (["--random_genotypes=s1"], "give either --search_flags=FILE"),
        (["--task=1"], "--task means something with --stage="),
        (["--short_flags=no.flags"], "--short_flags=no.flags cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    stub, flags, tmp_path, more, told
):
    _, err = run(stub, *flags, *more, code=2)
    (line,) = err.splitlines()
    assert line.startswith(f"error: {told}")
    assert not (tmp_path / "run").exists() and not stub.calls()


@pytest.mark.program
def test_what_means_nothing_is_refused_before_the_first_search(tmp_path):
    """By the children's own check, which takes no part in a search."""
    path = tmp_path / "of.flags"
    path.write_text("--bptt=5\n")
    for name in ("search_flags", "short_flags"):
        with pytest.raises(InputError, match="--bptt means nothing with"):
            flagfiles.check_parses(name, str(path))


@pytest.mark.program
def test_end_to_end(tmp_path):
    """The one true run: real children, tiny, in a space of the user's own file."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    texts = {
        "search": [*SPACE, "--method=first_order"],
        "train": [*SPACE, "--valid_fraction=0.3", "--auxiliary_weight=0"],
    }
    for name, lines in texts.items():
        (tmp_path / f"{name}.flags").write_text("\n".join(lines) + "\n")
    command = [
        *(sys.executable, "-m", "train.experiment"),
        f"--workdir={tmp_path / 'run'}",
        "--search_seeds=1",
        f"--search_flags={tmp_path / 'search.flags'}",
        "--evaluate_seeds=1",
        f"--short_flags={tmp_path / 'train.flags'}",
        f"--evaluate_flags={tmp_path / 'train.flags'}",
        "--plugin=mine.py",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    plan = folder.load_plan(str(tmp_path / "run"))
    results = json.loads((plan.root / "results.json").read_text())
    full = json.loads(plan.full(results["selected"], 0).result.read_text())
    assert results["test"]["values"] == [full["test"]["error"]]
    assert full["genotype"] == results["genotype"]
    assert results["searches"][0]["devices"] == 1
    assert 0 < results["device_seconds"]["search"] < 600
    assert results["parameters"] == full["parameters"] > 0
    assert results["missing"] == []
    for path in (plan.root / "short").glob("*/result.json"):
        short = json.loads(path.read_text())
        assert "test" not in short and 0 <= short["valid"]["error"] <= 1
    config = ComparisonConfig(experiments=(str(plan.root),), out=str(tmp_path / "out"))
    with registries.restored():
        compare.run(config)  # the experiment names its plugin
    assert "darts (first_order)" in (tmp_path / "out" / "compare.md").read_text()
