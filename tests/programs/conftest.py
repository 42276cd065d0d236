"""Real runs of the entry points, tiny; one search serves all tests."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
TINY = ("--dataset=digits", "--examples=200", "--channels=2", "--layers=3")
SEARCH = (
    *TINY,
    "--batch_size=16",
    "--method=first_order",
    "--epochs=2",
    "--deterministic",
    "--checkpoint_every=2",
    "--report_every=5",
    "--alpha_learning_rate=0.1",
    "--temperature_end=0.25",
)
# An entry point on two logical CPU devices.
TWO_DEVICES = """
import runpy, sys
import tensorflow as tf
cpus = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpus[0], two)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclasses.dataclass(frozen=True)
class Programs:
    """Starts entry points as a user does."""

    tiny = TINY
    search = SEARCH

    def start(self, program: str, *flags, **environment) -> subprocess.Popen:
        """`python -m train.<program> flags`, in the background."""
        return self._started("-m", f"train.{program}", *flags, **environment)

    def _started(self, *arguments, **environment) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MPLBACKEND": "agg"} | environment,
        )

    def run(self, program: str, *flags, code: int = 0) -> str:
        """Waits for the end; gives all that was printed."""
        return self._ended(self.start(program, *flags), code)

    def run_on_two_devices(self, program: str, *flags) -> str:
        """The same, where TensorFlow sees two CPU devices."""
        arguments = ("-c", TWO_DEVICES, f"train.{program}", *flags)
        return self._ended(self._started(*arguments), 0)

    def _ended(self, started: subprocess.Popen, code: int) -> str:
        with started as process:
            output, _ = process.communicate(timeout=1500)
        assert process.returncode == code, output
        return output


@pytest.fixture(scope="session")
def programs() -> Programs:
    return Programs()


@pytest.fixture(scope="session")
def searched(programs, tmp_path_factory) -> pathlib.Path:
    """The folder of a finished search with SEARCH's flags."""
    folder = tmp_path_factory.mktemp("runs") / "search"
    programs.run("search", *SEARCH, f"--workdir={folder}")
    return folder


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> pathlib.Path:
    """A folder with three short texts of five words."""
    folder = tmp_path_factory.mktemp("text")
    rng = np.random.default_rng(0)
    for name in ("train", "valid", "test"):
        words = rng.choice("a b c d e".split(), 400)
        (folder / f"{name}.txt").write_text(" ".join(words) + "\n")
    return folder
