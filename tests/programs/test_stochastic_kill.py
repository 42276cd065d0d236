"""Searches that draw, and those in stages, killed between checkpoints, go on exactly.

With the files of a search, in one process; with SIGKILL: test_kill.py.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from darts_tf.programs.records import SearchRecords
from darts_tf.run.loop.driver import drive
from darts_tf.run.workdir import open_workdir
from tests.strategy import toy_search
from tests.strategy.staged_toy import staged


class Killed(BaseException):
    """Ends a search where it is; nothing is saved."""


def search(folder, loop, killed_after=None) -> None:
    """Drives a search in a folder as its program does, or until it is killed."""
    advance = loop.advance

    def step():
        if loop.step == killed_after:
            raise Killed
        return advance()

    loop.advance = step
    with open_workdir(folder, {"seed": 0}, "--seed=0\n") as workdir:
        on_epoch = SearchRecords(workdir, None).on_epoch
        drive(loop, workdir, report_every=1, checkpoint_every=3, on_epoch=on_epoch)


def left_behind(folder) -> dict:
    """Returns all files' contents but for times."""
    contents = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                for key in arrays.files:
                    contents[name, key] = arrays[key].tobytes()
        elif path.suffix == ".json":
            contents[name] = path.read_text()
        elif path.suffix == ".jsonl":
            contents[name] = [
                {k: v for k, v in json.loads(line).items() if "second" not in k}
                for line in path.read_text().splitlines()
            ]
    return {n: v for n, v in contents.items() if "seconds" not in n[-1]}


def build(**settings):
    task = toy_search.RelaxedToy if "relaxation" in settings else toy_search.Toy
    return toy_search.build(task=task, compiled=False, **settings)


@pytest.mark.parametrize(
    "make",
    [
        lambda: build(relaxation="gumbel"),
        lambda: build(relaxation="dirichlet"),
        lambda: build(alpha_perturbation="random"),
        lambda: staged("gumbel"),
    ],
    ids=["gumbel", "dirichlet", "random perturbation", "gumbel in stages"],
)
def test_killed_twice_is_as_left_alone(make, tmp_path):
    search(tmp_path / "alone", make())
    for step in (1, 5):  # checkpoints: 2, 3, 4, 6, ...; a stage begins after 4
        with pytest.raises(Killed):
            search(tmp_path / "killed", make(), killed_after=step)
    search(tmp_path / "killed", make())
    alone, killed = (left_behind(tmp_path / n) for n in ("alone", "killed"))
    assert alone.keys() == killed.keys() and ("alpha.npz", "normal") in alone
    for name, value in alone.items():
        assert killed[name] == value, name
