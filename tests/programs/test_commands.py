"""Commands that summaries propose."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from darts_tf.programs import commands


def test_the_folder_above_is_watched_unless_it_is_crowded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "a"
    assert commands.watch_command(run) == f"tensorboard --logdir={tmp_path / 'runs'}"
    here = tmp_path / "a"
    assert commands.watch_command(here) == f"tensorboard --logdir={here}"


@pytest.mark.parametrize(
    "owner, name, error",
    [
        (Path, "home", RuntimeError("Could not determine home directory.")),
        (Path, "cwd", FileNotFoundError(2, "No such file or directory")),
        (tempfile, "gettempdir", FileNotFoundError(2, "No usable temporary directory")),
    ],
)
def test_folders_that_a_container_has_not(owner, name, error, monkeypatch):
    def fail(*_):
        raise error

    monkeypatch.setattr(owner, name, fail)
    assert commands.watch_command(Path("/r/a")) == "tensorboard --logdir=/r"
