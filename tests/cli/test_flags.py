"""Flags generated from the fields of a config."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import pytest
from absl import flags

from darts_tf.cli import flags as config_flags
from darts_tf.config import ExperimentConfig, SearchConfig, TrainingConfig
from darts_tf.run import settings_files

ROOT = Path(__file__).parents[2]
CHANGED = {
    "epochs": 3,
    "alpha_learning_rate": 1e-05,
    "flip": False,
    "download": True,
    "instruments": ("entropy", "gap"),
    "method": "exact",
    "data_dir": "a b",
    "image_size": 12,
}


def parsed(kind, *given):
    values = flags.FlagValues()
    config_flags.define(kind, "Folder.", into=values)
    values(["program", "--workdir=x", *given])
    return config_flags.parsed_config(kind, values)


@pytest.mark.parametrize("kind", [SearchConfig, TrainingConfig, ExperimentConfig])
def test_without_flags_the_config_is_the_default(kind):
    required = [f.name for f in dataclasses.fields(kind) if f.metadata["required"]]
    given = {name: "x" for name in required}
    config = parsed(kind, *(f"--{name}=x" for name in required))
    assert config == kind(**given) and config.given == {*required}


def test_a_flagfile_gives_the_values_again(tmp_path):
    config = SearchConfig(**CHANGED)
    path = tmp_path / "flags.txt"
    path.write_text(settings_files.as_flagfile(dataclasses.asdict(config)))
    assert parsed(SearchConfig, f"--flagfile={path}") == config


def test_an_empty_list_is_a_value():
    assert parsed(SearchConfig, "--instruments=").instruments == ()


@pytest.mark.parametrize("program", ["search", "evaluate", "derive", "experiment"])
def test_wrong_arguments_are_refused_before_tensorflow(program, tmp_path):
    """From any folder, and in a fraction of TensorFlow's seven seconds."""
    script = (
        "import sys\nsys.argv = ['x', sys.argv[1], '--wrong']\n"
        "from darts_tf.cli.__main__ import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'tensorflow', 'keras'} & sys.modules.keys()\n"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: Unknown command line flag 'wrong'")
    assert time.monotonic() - start < 30  # a loaded machine; here 0.6


def test_an_unknown_program_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "darts_tf.cli", "serach"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: give a program: pipeline, search, derive, evaluate, export, "
        "latency, experiment, compare\n"
    )
