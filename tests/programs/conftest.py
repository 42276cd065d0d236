"""Runs of the programs, tiny: one search serves several files of tests."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile

import numpy as np
import pytest

from tests import forked

ROOT = pathlib.Path(__file__).parents[2]
TINY = ("--dataset=digits", "--examples=200", "--channels=2", "--layers=3")
PLUGIN = pathlib.Path(__file__).with_name("small_plugin.py")
SPACE = (f"--plugin={PLUGIN}", "--space=small")
SEARCH = (
    *TINY,
    *SPACE,
    "--batch_size=8",
    "--method=first_order",
    "--alpha_perturbation=random",
    "--epochs=2",
    "--deterministic",
    "--checkpoint_every=2",
    "--report_every=5",
    "--alpha_learning_rate=0.1",
    "--temperature_end=0.25",
)


@dataclasses.dataclass(frozen=True)
class Programs:
    """Starts entry points as a user does."""

    tiny = TINY
    space = SPACE
    search = SEARCH

    def start(self, program: str, *flags, **environment) -> forked.Fork:
        """Starts a fork in the background, to be stopped or killed."""
        return forked.Fork(*flags, module=f"train.{program}", environment=environment)

    def run(
        self,
        program: str,
        *flags,
        code: int = 0,
        devices: int = 1,
        drawn: bool = False,
    ) -> str:
        """Waits for the end of a fork (tests/forked.py); returns all that it printed.

        With two devices TensorFlow sees two CPUs. Pictures are dots unless `drawn`.
        """
        with tempfile.NamedTemporaryFile(suffix=".log") as file:
            path = pathlib.Path(file.name)
            module = f"train.{program}"
            ended = forked.run(
                path, *flags, module=module, devices=devices, drawn=drawn
            )
            output = path.read_text(errors="replace")
        assert ended == code, output
        return output


@pytest.fixture(scope="session")
def programs() -> Programs:
    return Programs()


@pytest.fixture(scope="session")
def searched(programs, tmp_path_factory) -> pathlib.Path:
    """The folder of a finished search with SEARCH's flags."""
    folder = tmp_path_factory.mktemp("runs") / "search"
    programs.run("search", *SEARCH, f"--workdir={folder}", drawn=True)
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
