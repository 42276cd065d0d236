"""Every flagfile parses with its program; enumerations are the libraries'."""

from __future__ import annotations

import inspect
import json
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from absl import flags

from darts_tf.cli import (
    estimator_flags,
    recipe_flags,
    search_flags,
    space_flags,
    strategy_flags,
)
from darts_tf.cli import flags as run_flags
from darts_tf.descent import precision, replicas, workers
from darts_tf.estimation import training_settings
from darts_tf.programs import estimators
from darts_tf.space.published import PUBLISHED
from darts_tf.space.registry import SPACES
from darts_tf.strategy.black_box import strategies
from darts_tf.strategy.darts import bilevel, joint
from darts_tf.strategy.diagnostics import early_stopping, instruments
from darts_tf.strategy.lambda_darts import regularizer

ROOT = pathlib.Path(__file__).parents[1]
FOLDERS = (ROOT / "configs", ROOT / "benchmarks" / "studies")
CONFIGS = sorted(path for folder in FOLDERS for path in folder.rglob("*.flags"))
NAMES = [str(path.relative_to(ROOT)) for path in CONFIGS]
PARSER = """
import importlib, json, os, sys, traceback
import darts_tf.cli.entry_point, darts_tf.programs.setup, darts_tf.programs.records
from absl import flags

codes = {}
for name, program, arguments in json.load(sys.stdin):
    pid = os.fork()  # each program defines its flags anew
    if not pid:
        try:
            importlib.import_module(program)
            left = flags.FLAGS([program, *arguments])
            os._exit(0 if len(left) == 1 else 3)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    codes[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps(codes))
"""


def command(path: pathlib.Path) -> list[str]:
    """The words of its Command, which may go on over several lines."""
    words = re.search(r"^# Command:((?:.*\\\n# +)*.*)$", path.read_text(), re.M)
    text = re.sub(r"\\\n# +", " ", words.group(1))
    return shlex.split(text)


@pytest.fixture(scope="module")
def codes() -> dict[str, int]:
    """How each Command parsed, flagfile and all."""
    jobs = []
    for name, path in zip(NAMES, CONFIGS):
        words = command(path)
        jobs.append([name, words[2], words[3:]])
    done = subprocess.run(
        [sys.executable, "-c", PARSER],
        input=json.dumps(jobs),
        text=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    return json.loads(done.stdout)


def test_there_are_configs():
    assert {"configs/digits/search.flags"} <= set(NAMES)


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_opens_with_paper_command_cost_and_what_to_expect(path):
    text = path.read_text()
    assert text.startswith("# Paper:")
    comments = text.split("\n--")[0]
    for word in ("Command", "Cost", "Expected"):
        assert f"\n# {word}:" in comments
    words = command(path)
    assert words[:2] == ["python", "-m"] and words[2].startswith("train.")
    assert f"--flagfile={path.relative_to(ROOT)}" in words


@pytest.mark.program
@pytest.mark.parametrize("name", NAMES)
def test_parses_with_its_program(codes, name):
    assert codes[name] == 0


def test_enumerations_are_those_of_the_libraries():
    assert tuple(search_flags.METHODS) == tuple(bilevel.METHODS)
    assert tuple(search_flags.OPTIMIZATIONS) == tuple(joint.SEARCHES)
    assert run_flags.DISTRIBUTE == (*replicas.CHOICES, workers.CHOICE)
    assert run_flags.JIT == replicas.JIT
    assert run_flags.PRECISIONS == tuple(precision.PRECISIONS)
    assert search_flags.REGULARIZERS == ("none", *regularizer.KINDS)
    assert search_flags.LAMBDA_CELLS == regularizer.CELLS
    assert search_flags.LAMBDA_GRADIENTS == regularizer.GRADIENTS
    assert set(space_flags.SPACES) == set(SPACES)
    assert recipe_flags.SCHEDULES == training_settings.SCHEDULES
    decay = training_settings.TrainingSettings.learning_rate_decay
    assert recipe_flags.DECAY == decay
    usual = {
        "lambda_strength": regularizer.STRENGTH,
        "lambda_gradient": regularizer.GRADIENTS[0],
        "lambda_epsilon": regularizer.EPSILON,
        "lambda_cells": regularizer.CELLS[0],
    }
    assert search_flags.LAMBDA_DEFAULTS == usual
    assert tuple(search_flags.INSTRUMENTS) == tuple(instruments.KINDS)
    assert tuple(search_flags.EARLY_STOP) == tuple(early_stopping.RULES)
    assert tuple(strategy_flags.OWN_FLAGS) == tuple(strategies.STRATEGIES)
    assert set(estimator_flags.ESTIMATORS) == set(estimators.ESTIMATORS)


def test_a_strategys_flags_are_its_settings_with_their_defaults():
    strategy_flags.define_strategy()
    for name, own in strategy_flags.OWN_FLAGS.items():
        constructor = strategies.STRATEGIES[name].__init__
        usual = inspect.signature(constructor).parameters
        settings = {
            n: p.default
            for n, p in usual.items()
            if p.default is not inspect.Parameter.empty
        }
        assert settings == {
            flag.removeprefix(f"{name}_"): flags.FLAGS[flag].default for flag in own
        }


def test_help_names_every_published_genotype():
    source = pathlib.Path(run_flags.__file__).read_text()
    for name in {name for cells in PUBLISHED.values() for name in cells}:
        assert re.sub(r"_[1-9]$", "_0", name) in source
