"""Runs that go wrong after their start: one line, exit code 1, nothing lost.

Bad flags and bad data, which nothing starts with: test_entry_points.py.
"""

from __future__ import annotations

import re

import pytest

from darts_tf.run.loop import checkpoints
from darts_tf.run.loop.metrics import read_metrics

ABSURD = (
    "--learning_rate=1e30",
    "--checkpoint_every=1",
    "--report_every=1",
    "--epochs=1",
)
PROGRAMS = {
    "search": ("--method=first_order", "--batch_size=16"),
    "evaluate": (
        "--genotype=DARTS_V2",
        "--batch_size=32",
        "--noflip",
        "--auxiliary_weight=0",
    ),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def diverged(request, programs, tmp_path_factory):
    """(folder, output) of a run whose loss is NaN after some steps."""
    folder = tmp_path_factory.mktemp("runs") / request.param
    flags = (*programs.tiny, *ABSURD, *PROGRAMS[request.param])
    flags += programs.space if request.param == "search" else ()
    output = programs.run(request.param, *flags, f"--workdir={folder}", code=1)
    return folder, output


def test_a_loss_that_is_nan_is_one_line_that_names_the_step(diverged):
    folder, output = diverged
    (line,) = [x for x in output.splitlines() if x.startswith("error: ")]
    assert output.rstrip().endswith(line) and "Traceback" not in output
    assert re.match(r"error: train/loss is (nan|inf) at step [2-9]:", line)
    assert "learning rate" in line and "--workdir" in line
    assert not (folder / "result.json").exists()


def test_the_last_good_checkpoint_is_named_and_kept(diverged):
    folder, output = diverged
    step, arrays = checkpoints.load_latest(folder / "checkpoints")
    bad = int(re.search(r"at step (\d+):", output)[1])
    assert step == bad - 1 and int(arrays["step"]) == step
    path = checkpoints.checkpoint_path(folder / "checkpoints", step)
    assert f"the last good checkpoint is {path};" in output


def test_records_end_before_the_bad_step(diverged):
    folder, output = diverged
    bad = int(re.search(r"at step (\d+):", output)[1])
    records = read_metrics(folder / "metrics.jsonl")
    assert [record["step"] for record in records] == list(range(1, bad))
    assert all(isinstance(r["train/loss"], float) for r in records)
