"""Searches that ask an estimator, from flags to result: real processes."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

from darts_tf.config import SearchConfig
from darts_tf.config_rules import settle
from darts_tf.data.nasbench201_table import ACCURACIES, RANKED, SEARCHED
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import DivergedError
from darts_tf.estimation.estimates import Estimate
from darts_tf.programs import black_box_search, estimators
from darts_tf.programs.estimators import Full
from darts_tf.space.architecture_string import every_string, to_string
from darts_tf.space.genotype import Genotype
from darts_tf.space.nasbench201 import SPACE
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.black_box.strategies import strategy_by_name
from tests import forked

STRINGS = list(every_string())
TABLE = (
    "--space=nasbench201",
    "--estimator=table",
    "--strategy=bayesian",
    "--bayesian_startup=5",
)
FULL = {
    "space": "nasbench201",
    "estimator": "full",
    "dataset": "digits",
    "examples": 200,
    "channels": 2,
    "layers": 3,
    "batch_size": 16,
    "epochs": 2,
    "checkpoint_every": 2,
    "budget_evaluations": 2,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Validation falls with the enumeration, the truth rises."""
    path = tmp_path_factory.mktemp("table") / "table.csv"
    rows = [",".join(("architecture", *ACCURACIES))]
    for index, string in enumerate(STRINGS):
        known = {SEARCHED: 100 - index / 200, RANKED: index / 200}
        values = [str(known.get(name, 99)) for name in ACCURACIES]
        rows.append(",".join((string, *values)))
    path.write_text("\n".join(rows))
    return path


def place(genotype: dict) -> int:
    """The place of a cell in the enumeration."""
    cell = Genotype.from_json(json.dumps(genotype))
    return STRINGS.index(to_string(cell))


def undisturbed(count: int) -> list[int]:
    """The places that a strategy proposes which nobody interrupts."""
    strategy, found = strategy_by_name("bayesian", SPACE, 0, startup=5), []
    for _ in range(count):
        cell = strategy.propose()
        found.append(STRINGS.index(to_string(cell)))
        strategy.tell(cell, (100 - found[-1] / 200) / 100)
    return found


def evaluations(folder) -> list[dict]:
    return [json.loads(x) for x in (folder / "evaluations.jsonl").open()]


def test_a_search_by_table_which_is_given_more_budget(programs, table, tmp_path):
    given = (*TABLE, f"--nasbench201_table={table}", f"--workdir={tmp_path}")
    programs.run("search", *given, "--budget_evaluations=12")
    output = programs.run("search", *given, "--budget_evaluations=30", drawn=True)
    found = evaluations(tmp_path)
    places = [place(record["genotype"]) for record in found]
    assert places == undisturbed(30)
    for record, index in zip(found, places):  # of the truth it knows nothing
        assert record["worth"] == pytest.approx(1 - index / 20_000)
    genotype = json.loads((tmp_path / "genotype.json").read_text())
    assert place(genotype) == min(places) < 2_000
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["evaluation"] == 1 + places.index(min(places))
    assert result["evaluations"] == 30
    assert result["true"][RANKED] == pytest.approx(min(places) / 200)
    flags = (tmp_path / "flags.txt").read_text()
    assert "--strategy=bayesian" in flags and "--epochs" not in flags
    assert "configs/nasbench201/evaluate.flags" in output
    assert "true accuracy" in output
    assert (tmp_path / "evaluations.png").stat().st_size
    steps = map(json.loads, (tmp_path / "metrics.jsonl").open())
    told = [r["worth"] for r in steps if r["kind"] == "steps"]
    assert told == [record["worth"] for record in found]
    less = programs.run("search", *given, "--budget_evaluations=12", code=2)
    assert "error: --budget_evaluations=12 would have ended" in less
    assert "12 of the 30 evaluations" in less
    assert json.loads((tmp_path / "result.json").read_text()) == result


BARE = """
import os, resource, runpy, sys, tempfile
for name in ("HOME", "TERM", "USER", "LOGNAME"):
    os.environ.pop(name, None)
os.environ["TMPDIR"], tempfile.tempdir = "/nowhere", None
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
os.close(1)
sys.stdout = None
sys.argv[0] = "train.search"
runpy.run_module("train.search", run_name="__main__", alter_sys=True)
"""


@pytest.mark.program
def test_no_home_no_terminal_no_output_and_few_files_are_enough(table, tmp_path):
    log, run = tmp_path / "log", tmp_path / "run"
    given = (*TABLE, f"--nasbench201_table={table}", f"--workdir={run}")
    code = forked.run(log, *given, "--budget_evaluations=6", script=BARE)
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text() and (run / "result.json").exists()


def front_of(folder) -> list[dict]:
    return json.loads((folder / "result.json").read_text())["front"]


def test_a_front_which_is_given_more_budget(programs, table, tmp_path):
    """Its proposals, refused ones too, are those of a search that nothing stopped."""
    given = ["--space=nasbench201", "--estimator=table", "--strategy=nsga2"]
    given += ["--nsga2_population=5", f"--nasbench201_table={table}"]
    given += ["--objectives=accuracy,multiply_adds,parameters"]
    given += ["--cost_channels=2", "--cost_layers=3"]
    for folder, budgets in {"one": (12, 27), "other": (27,)}.items():
        for budget in budgets:
            words = f"--budget_evaluations={budget}", f"--workdir={tmp_path / folder}"
            output = programs.run(
                "search", *given, "--max_parameters=4000", *words, drawn=True
            )
    one, other = (evaluations(tmp_path / folder) for folder in ("one", "other"))
    assert [r["genotype"] for r in one] == [r["genotype"] for r in other]
    assert all(record["costs"]["parameters"] <= 4000 for record in one)
    front = front_of(tmp_path / "one")
    assert front == front_of(tmp_path / "other")
    result = json.loads((tmp_path / "one" / "result.json").read_text())
    assert result["refused"] > 0
    assert f"refused       {result['refused']:,} draws beyond the limits" in output
    values = [(r["multiply_adds"], r["parameters"], -r["accuracy"]) for r in front]
    assert values == sorted(values) and len(front) > 1
    files = sorted((tmp_path / "one" / "genotypes").iterdir())
    assert [f"genotypes/{path.name}" for path in files] == [r["file"] for r in front]
    for row, path in zip(front, files, strict=True):
        record = one[row["evaluation"] - 1]
        assert json.loads(path.read_text()) == record["genotype"] == row["genotype"]
        assert record["costs"]["multiply_adds"] == row["multiply_adds"]
    for name in ("front.png", "report.html"):
        assert (tmp_path / "one" / name).stat().st_size
    best = max(front, key=lambda row: row["accuracy"])["file"]
    assert f"--genotype={tmp_path / 'other' / best}" in output
    assert (
        f"{len(front)} genotypes that none beats in accuracy and multiply-adds"
        in output
    )
    words = "--budget_evaluations=9", f"--workdir={tmp_path / 'none'}"
    output = programs.run("search", *given, "--max_parameters=10", *words, code=2)
    assert "error: --max_parameters=10: no network is that cheap" in output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("bad", [1, 2])
def test_trainings_that_diverge_are_counted(monkeypatch, tmp_path, bad):
    """One of two is said; where all do, there is nothing to choose."""
    values = iter([{"error": 0.9, "diverged": True}] * bad + [{"error": 0.2}] * 2)

    def estimate(genotype, folder):
        valid = next(values)
        return Estimate(1 - valid["error"], valid, 0.0)

    monkeypatch.setattr(estimators, "estimator_of", lambda *_: estimate)
    config = settle(SearchConfig(**FULL, strategy="random", seed=1))
    if bad == 2:
        for _ in range(2):  # the same command says the same
            with pytest.raises(DivergedError, match="all 2 evaluations diverged"):
                black_box_search.search(config, tmp_path)
            assert not (tmp_path / "result.json").exists()
        return
    summary = black_box_search.search(config, tmp_path)
    assert "  diverged      1 of 2 trainings, which count as guessing\n" in summary
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["diverged"] == 1 and result["worth"] == 0.8


def test_trainings_are_cut_in_two_and_go_on(programs, tmp_path):
    given = [f"--{n}={v}" for n, v in FULL.items()]
    given += ["--strategy=random", f"--workdir={tmp_path}"]
    with programs.start("search", *given) as process:
        for line in process.stdout:
            if line.startswith("epoch 1/2"):
                process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    folder = tmp_path / "evaluations" / "0001"
    assert list((folder / "checkpoints").glob("step-*.npz"))
    assert not (tmp_path / "evaluations.jsonl").exists()
    output = programs.run("search", *given)
    steps = map(json.loads, (folder / "metrics.jsonl").open())
    assert [r["step"] for r in steps if r["kind"] == "epoch"] == [6, 12]
    assert not (folder / "checkpoints").exists()
    found = evaluations(tmp_path)
    assert len(found) == 2
    for record in found:
        assert record["worth"] == 1 - record["valid"]["error"]
        assert record["valid"]["images"] == 99  # half of the 200
        assert record["deviation"] > 0
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["worth"] == max(record["worth"] for record in found)
    assert "test" not in result and "validation accuracy" in output


def test_asha_promotes_and_goes_on_after_a_stop(programs, tmp_path):
    """Two of one epoch, of which the better one is stopped on its way to two."""
    given = [f"--{n}={v}" for n, v in FULL.items() if n != "budget_evaluations"]
    given += ["--strategy=asha", "--asha_reduction=2", "--asha_rungs=2"]
    given += [f"--workdir={tmp_path}", "--checkpoint_every=1"]
    with programs.start("search", *given, "--budget_evaluations=3") as process:
        for line in process.stdout:
            if line.startswith("epoch 2/2"):
                process.send_signal(signal.SIGTERM)
        process.wait()
    output = programs.run("search", *given, "--budget_evaluations=3")
    first, second, third = evaluations(tmp_path)
    assert [r["epochs"] for r in (first, second, third)] == [1, 1, 2]
    better = max(first, second, key=lambda r: r["worth"])
    assert third["genotype"] == better["genotype"] and third["rung"] == 1
    folder = tmp_path / "evaluations" / f"{better['step']:04d}"
    steps = map(json.loads, (folder / "metrics.jsonl").open())
    assert [r["step"] for r in steps if r["kind"] == "epoch"] == [6, 12]
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["evaluation"] == 3 and result["worth"] == third["worth"]
    assert (result["epochs"], result["trained_epochs"]) == (2, 3)
    assert result["rungs"] == {"1": 2, "2": 1}
    assert "Search finished: 3 evaluations of 2 genotypes" in output


@pytest.mark.slow
def test_a_network_starts_the_same_whatever_was_trained_before():
    config = SearchConfig(
        **FULL,
        strategy="random",
        seed=3,
        crop_padding=0,
        flip=False,
        valid_fraction=0.5,
        auxiliary_weight=0.0,
        drop_path=0.0,
    )
    estimator = Full(config, Replicas("one_device"))
    one, other = (random_genotype(SPACE, seed) for seed in (1, 2))

    def start(genotype):
        return [w.numpy() for w in estimator._training(genotype).model.weights]

    first = start(one)
    start(other)
    for before, after in zip(first, start(one), strict=True):
        np.testing.assert_array_equal(before, after)
