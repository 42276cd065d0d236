"""Runs that the first edition started, stopped in the middle: they go on.

Their folders have flags.json and no config.json. By

    python -m train.search --dataset=digits --channels=1 --layers=3 \
        --examples=200 --batch_size=10 --epochs=3 --method=first_order \
        --crop_padding=1 --noflip --report_every=2 --checkpoint_every=4 \
        --seed=1 --workdir=...
    python -m train.evaluate --dataset=digits --channels=4 --layers=3 \
        --examples=200 --batch_size=10 --epochs=3 --crop_padding=1 --noflip \
        --genotype=DARTS_V2 --auxiliary_weight=0 --valid_fraction=0.2 \
        --report_every=2 --checkpoint_every=4 --workdir=...
"""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from darts_tf.run.loop.metrics import read_metrics

OLD = pathlib.Path(__file__).parents[1] / "data_of_old_runs"
COMMON = (
    "--dataset=digits",
    "--layers=3",
    "--examples=200",
    "--batch_size=10",
    "--epochs=3",
    "--crop_padding=1",
    "--noflip",
    "--report_every=2",
    "--checkpoint_every=4",
)
COMMANDS = {
    "search": (*COMMON, "--channels=1", "--method=first_order", "--seed=1"),
    "evaluate": (
        *COMMON,
        "--channels=4",
        "--genotype=DARTS_V2",
        "--auxiliary_weight=0",
        "--valid_fraction=0.2",
    ),
}


def before(folder) -> list[dict]:
    return read_metrics(folder / "metrics.jsonl")


@pytest.mark.program
@pytest.mark.slow
@pytest.mark.parametrize("program", COMMANDS)
def test_the_same_command_finishes_it(programs, program, tmp_path):
    folder = tmp_path / program
    shutil.copytree(OLD / program, folder)
    records = before(folder)
    given = (*COMMANDS[program], f"--workdir={folder}")
    refused = programs.run(program, *given, "--batch_size=20", code=2)
    assert "--batch_size: the run has 10, given 20" in refused
    assert not (folder / "config.json").exists()
    programs.run(program, *given)
    after = before(folder)
    assert after[: len(records)] == records
    assert after[-1]["kind"] == "epoch" and after[-1]["epoch"] == 3
    assert json.loads((folder / "result.json").read_text())["flags"]["layers"] == 3
    stored = json.loads((folder / "config.json").read_text())
    assert (stored["version"], stored["program"]) == (1, program)
    assert stored["config"].get("compiled", True)
    seed = stored["config"]["seed"]  # images are chosen and ordered as before
    assert stored["config"]["shuffle_rounds"] == 4
    assert stored["config"]["examples_seed"] == seed
    assert "workdir" not in stored["config"]
    again = programs.run(program, *given)
    assert "finished" in again and before(folder) == after
    if program == "search":
        assert '"darts_conv"' in programs.run("derive", f"--workdir={folder}")
    else:
        assert "SavedModel" in programs.run("export", f"--workdir={folder}")
