"""Whole runs on two logical CPU devices under MirroredStrategy."""

from __future__ import annotations

import json

import numpy as np
import pytest

TEXT = (
    "--space=darts_recurrent",
    "--dataset=text_folder",
    "--hidden_size=4",
    "--bptt=5",
    "--epochs=1",
    "--batch_size=8",
    "--learning_rate=5",
    "--measured_batch=2",
    "--dropout_x=0",
    "--dropout_hidden=0",
    "--dropout_embedding=0",
    "--dropout_output=0",
    "--dropout_words=0",
)


def losses(folder) -> list[float]:
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in rows]
    return [row["train/loss"] for row in rows if row["kind"] == "steps"]


def test_language_on_two_devices_is_as_on_one(programs, text, tmp_path):
    """Both replicas together learn what one does; the state is carried."""
    found, tests = {}, []
    for kind in ("mirrored", "one_device"):
        folder = tmp_path / kind
        programs.run(
            "evaluate",
            *TEXT,
            "--genotype=DARTS_V2",
            f"--data_dir={text}",
            f"--workdir={folder}",
            f"--distribute={kind}",
            "--report_every=1",
            devices=2,
        )
        found[kind] = losses(folder)
        tests.append(json.loads((folder / "result.json").read_text())["test"])
    assert len(found["mirrored"]) == len(found["one_device"]) > 5
    # One step's rounding is all that differs: cells have no batch norm here.
    np.testing.assert_allclose(*found.values(), rtol=1e-4)
    # The test text is one stream on both.
    assert tests[0]["words"] == tests[1]["words"]
    assert tests[0]["perplexity"] == pytest.approx(tests[1]["perplexity"], rel=1e-4)


def test_search_on_two_devices(programs, tmp_path):
    folder = tmp_path / "search"
    flags = (
        *programs.space,
        "--dataset=digits",
        "--examples=64",
        "--channels=2",
        "--layers=3",
        "--batch_size=16",
        "--method=first_order",
        "--distribute=mirrored",
        "--epochs=2",
        "--report_every=1",
        f"--workdir={folder}",
        "--instruments=gap,gradient_cosine",
    )
    output = programs.run("search", *flags, devices=2)
    assert "Search finished" in output
    with np.load(folder / "alpha.npz", allow_pickle=False) as history:
        assert np.abs(np.diff(history["normal"], axis=0)).max() > 0
    assert np.isfinite(losses(folder)).all()
    text = (folder / "metrics.jsonl").read_text()
    assert text.count('"gap/accuracy"') == 2
    assert text.count('"gradient_cosine/normal"') == 1  # there are two epochs
