"""train.derive --method=perturbation, in real processes, killed once.

That a resumed one equals one left alone: tests/strategy.
"""

from __future__ import annotations

import json
import re
import shutil
import time

import numpy as np
import pytest

from darts_tf.run.loop.metrics import read_metrics
from darts_tf.space.published import load_genotype
from tests.programs.conftest import ROOT

FLAGS = (
    "--method=perturbation",
    "--tune_epochs=1",
    "--measured_batches=1",
    "--checkpoint_every=3",
    "--report_every=3",
)
ROUND, ROUNDS = 1 + 12, 5 + 1
STEPS = (ROUNDS - 1) * ROUND + 1


@pytest.fixture(scope="module")
def search(searched, tmp_path_factory):
    """A copy of the finished search, for folders in it."""
    folder = tmp_path_factory.mktemp("runs") / "search"
    shutil.copytree(searched, folder)
    return folder


@pytest.fixture(scope="module")
def derived(programs, search):
    """(output, folder) of a derivation killed once and started again."""
    flags, folder = (*FLAGS, f"--workdir={search}"), search / "perturbation"
    with programs.start("derive", *flags) as process:
        while not list((folder / "checkpoints").glob("step-*9.npz")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not (folder / "genotype.json").exists()
    return programs.run("derive", *flags), folder


def test_leaves_its_files_and_the_searchs(derived, search, searched):
    output, folder = derived
    assert output.count("memory: about ") == 1
    genotype = load_genotype(str(folder / "genotype.json"), "small")
    assert genotype.to_json().splitlines()[1].strip() in output
    for name in ("genotype.png", "genotype.svg", "flags.txt"):
        assert (folder / name).stat().st_size
    assert len(list((folder / "genotypes").iterdir())) == ROUNDS
    for name in ("genotype.json", "genotype.png", "result.json"):
        before = (searched / name).read_bytes()
        assert (search / name).read_bytes() == before
    (proposed,) = re.findall(r"train.evaluate --flagfile=(\S+)", output)
    assert (ROOT / proposed).is_file()
    assert f"--genotype={folder / 'genotype.json'}" in output


def test_records_what_was_decided_and_why(derived):
    _, folder = derived
    result = json.loads((folder / "result.json").read_text())
    assert result["search_step"] == 24 and result["seed"] == 0
    assert result["steps"] == STEPS
    records = read_metrics(folder / "metrics.jsonl")
    steps = [r["step"] for r in records if r["kind"] == "steps"]
    assert steps == sorted({*range(3, STEPS, 3), *range(ROUND, STEPS, ROUND), STEPS})
    rounds = [r for r in records if r["kind"] == "epoch"]
    told = [d for record in rounds for d in record["decided"]]
    assert told == result["decided"] and len(rounds) == ROUNDS
    for decision in told:
        values = decision["accuracy_without"]
        assert all(0 <= value <= 1 for value in values.values())
        if "edge" in decision:
            assert decision["chosen"] == min(values, key=values.get)
    losses = [r["train/loss"] for r in records if "train/loss" in r]
    assert len(losses) > ROUNDS and np.isfinite(losses).all()


def test_its_flagfile_repeats_it_and_only_tells_the_result(programs, derived):
    _, folder = derived
    before = (folder / "metrics.jsonl").read_bytes()
    output = programs.run("derive", f"--flagfile={folder / 'flags.txt'}")
    assert f"Derived by perturbation: {STEPS} steps" in output
    assert (folder / "metrics.jsonl").read_bytes() == before
