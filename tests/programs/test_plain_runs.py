"""Whole runs on plain networks (`--nocompiled`)."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.program, pytest.mark.slow]


def test_a_plain_search_runs_to_its_end_and_serves_as_a_supernet(programs, tmp_path):
    plain = f"--workdir={tmp_path / 'plain'}"
    flags = (*programs.search, "--examples=64", "--epochs=1", "--nocompiled")
    output = programs.run("search", *flags, plain)
    assert "Search finished" in output
    refused = programs.run("search", *programs.search, plain, code=2)
    assert "--compiled" in refused
    stored = json.loads((tmp_path / "plain" / "config.json").read_text())
    assert stored["config"]["compiled"] is False
    asking = (
        *programs.space,
        "--strategy=random",
        "--estimator=one_shot",
        "--budget_evaluations=2",
    )
    where = f"--supernet={tmp_path / 'plain'}", f"--workdir={tmp_path / 'asking'}"
    assert "worth" in programs.run("search", *asking, *where)


def test_a_plain_search_of_text(programs, text, tmp_path):
    flags = (
        "--space=darts_recurrent",
        "--dataset=text_folder",
        f"--data_dir={text}",
        "--hidden_size=4",
        "--batch_size=8",
        "--measured_batch=2",
        "--bptt=5",
        "--epochs=1",
        "--method=first_order",
        "--nocompiled",
    )
    output = programs.run("search", *flags, f"--workdir={tmp_path / 'text'}")
    assert "Search finished" in output
