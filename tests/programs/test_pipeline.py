"""The whole pipeline, tiny, with forked stages; and how it fails."""

from __future__ import annotations

import pathlib
import shlex
import subprocess
import sys

import pytest

from darts_tf.config import PipelineConfig
from darts_tf.errors import InputError
from darts_tf.programs import pipeline, plugins
from tests.programs import forked_pipeline
from tests.programs.conftest import PLUGIN

ROOT = pathlib.Path(__file__).parents[2]
EVALUATE = ("--batch_size=32", "--epochs=1", "--noflip", "--auxiliary_weight=0")
# The pipeline with another Python for its stages.
FAKED = """
import runpy, sys
sys.executable, *sys.argv = sys.argv[1:]
runpy.run_module("train.pipeline", run_name="__main__", alter_sys=True)
"""
OUTPUTS = (
    "search/genotype.json",
    "search/genotype.png",
    "search/genotype.svg",
    "search/alpha.npz",
    "search/alpha.png",
    "search/result.json",
    "search/metrics.jsonl",
    "evaluate/result.json",
    "evaluate/metrics.jsonl",
    "evaluate/genotype.json",
    "evaluate/export/saved_model.pb",
    "evaluate/export/assets/class_names.txt",
    "report.html",
)


def summary(output: str) -> dict[str, str]:
    """Returns the text behind each word of the last lines."""
    lines = output[output.rindex("Done in") :].splitlines()[1:]
    found = [line.split(maxsplit=1) for line in lines if line.strip()]
    return {word: rest for word, rest in found}


def trained(folder) -> set:
    """Returns the files that only a step of search or training writes, with times."""
    paths = [*folder.rglob("step-*.npz"), *folder.rglob("metrics.jsonl")]
    assert len(paths) >= 4
    return {(str(path), path.stat().st_mtime_ns) for path in paths}


# What stands for Python: it says its stage, may fail, else leaves a result.
STUB = """#!/bin/sh
echo "stub $3"
[ $3 != {stage} ] || exit {code}
for flag in "$@"; do
  case $flag in --workdir=*) folder=${{flag#*=}}; mkdir -p "$folder"; esac
done
touch "$folder/result.json"
"""


def stub(folder, stage: str = "none", code: int = 0) -> pathlib.Path:
    """Writes the stub, of which one stage fails."""
    path = folder / "python"
    path.write_text(STUB.format(stage=stage, code=code))
    path.chmod(0o755)
    return path


def faked(python, *flags) -> subprocess.CompletedProcess:
    """Runs the pipeline with the stub as the Python of its stages."""
    return subprocess.run(
        [sys.executable, "-c", FAKED, str(python), "train.pipeline", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def plugin():
    """The path of the plugin, which is imported here as the command line does."""
    plugins.load(str(PLUGIN))  # once in a process, so its space stays
    return str(PLUGIN)


@pytest.fixture(scope="module")
def runs(programs, plugin, tmp_path_factory):
    """A run whose third stage fails, mended, and started again by its command line.

    (folder, output of each start, what the last one wrote of the training). Stages
    that have finished return at once (test_end_to_end.py), as a stub does.
    """
    tmp = tmp_path_factory.mktemp("with a space")
    folder = tmp / "all of it"
    search, evaluate = tmp / "search.flags", tmp / "evaluate.flags"
    search.write_text(
        "\n".join(
            [
                *programs.tiny,
                "--space=small",
                "--method=first_order",
                "--batch_size=16",
                "--epochs=1",
            ]
        )
    )
    settings = {
        "plugin": plugin,
        "search_flags": str(search),
        "evaluate_flags": str(evaluate),
        "seed": 3,
    }
    training = (*programs.tiny, "--space=small")
    evaluate.write_text("\n".join([*training, "--batch_size=1000"]))
    code, failed = forked_pipeline.run(folder, **settings)
    assert code == 2, failed
    evaluate.write_text("\n".join([*training, *EVALUATE]))
    code, mended = forked_pipeline.run(folder, **settings)
    assert code == 0, mended
    outputs, before = [failed, mended], trained(folder)
    python = stub(tmp)
    flags = [f"--{name}={value}" for name, value in settings.items()]
    again = faked(python, f"--workdir={folder}", *flags).stdout
    outputs.append(again.replace(shlex.quote(str(python)), sys.executable))
    return folder, outputs, trained(folder) - before


def test_a_stage_that_fails_is_the_last(runs):
    _, (failed, *_), _ = runs
    assert "[3/4] train.evaluate" in failed and "[4/4]" not in failed
    last = failed.rstrip().splitlines()[-1]
    assert last.startswith("error: ") and "1000" in last
    assert "Traceback" not in failed and "Done in" not in failed


def test_mended_it_goes_on_and_leaves_everything(runs):
    folder, (failed, mended, _), _ = runs
    assert "epoch 1/1" in failed  # the search's
    assert mended.count("epoch 1/1") == 1  # the evaluation's
    stages = ("search", "derive", "evaluate", "export")
    for number, stage in enumerate(stages, 1):
        assert f"[{number}/4] train.{stage} " in mended
    for name in OUTPUTS:
        assert (folder / name).stat().st_size, name


def test_every_path_and_command_of_the_summary_is_there(runs):
    folder, (_, mended, _), _ = runs
    said = summary(mended)
    for word, path in (
        ("genotype", said["genotype"]),
        ("SavedModel", said["SavedModel"]),
        ("picture", said["its"].removeprefix("picture").strip()),
    ):
        assert pathlib.Path(path).exists(), word
        assert pathlib.Path(path).is_relative_to(folder)
    watch = shlex.split(said["watch"])
    assert watch[0] == sys.executable
    assert watch[-1] == f"--logdir={folder}"
    assert any(folder.rglob("events.out*"))
    again = shlex.split(said["next"])
    assert again[1:3] == ["-m", "train.pipeline"]
    assert again[-2:] == [f"--workdir={folder}", "--compare_random_cells=5"]
    assert "of 359 test images" in said["accuracy"]
    assert "DARTS_V2" not in said  # it is a cell of another space


def test_started_again_it_repeats_its_summary_without_training(runs):
    _, (_, mended, again), written = runs
    assert summary(again) == summary(mended) and not written


def test_both_stages_got_the_seed(runs):
    folder, *_ = runs
    for stage in ("search", "evaluate"):
        flags = (folder / stage / "flags.txt").read_text().splitlines()
        assert "--seed=3" in flags


@pytest.mark.parametrize(
    "given, message",
    [
        ({"space": "nasbench201"}, "for chains on images only"),
        ({"space": "mobile_chain", "dataset": "python_topics"}, "on images only"),
        ({"space": "mobile_chain", "search_flags": "x"}, "leave one of both out"),
        ({"space": "mobile_chains"}, "did you mean mobile_chain"),
    ],
)
def test_a_space_is_a_chain_and_not_a_flagfiles(tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        pipeline.run(PipelineConfig(**given), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_missing_flagfile_is_one_line_and_nothing_starts(programs, tmp_path):
    output = programs.run(
        "pipeline",
        f"--workdir={tmp_path / 'run'}",
        f"--evaluate_flags={tmp_path / 'no.flags'}",
        code=2,
    )
    (line,) = output.splitlines()
    assert line.startswith("error: ") and "no.flags" in line
    assert not (tmp_path / "run").exists()


@pytest.mark.program
@pytest.mark.parametrize(
    "stage, code", [("evaluate", 130), ("search", 1), ("search", 0)]
)
def test_the_code_is_that_of_the_stage(tmp_path, stage, code):
    """0 without a result is that of a stage that was told to stop."""
    done = faked(stub(tmp_path, stage, code), f"--workdir={tmp_path}")
    assert done.returncode == code, done.stderr
    assert "Done in" not in done.stdout
    started = [x for x in done.stdout.splitlines() if x.startswith("stub")]
    stages = ["search", "derive", "evaluate"][: len(started)]
    assert started == [f"stub {name}" for name in stages]
    assert stages[-1] == stage
