"""--optimization=joint_...: what alpha and w learn from; whole runs."""

from __future__ import annotations

import itertools
import json

import numpy as np

from darts_tf.config import SearchConfig
from darts_tf.descent.replicas import Replicas
from darts_tf.programs import text_data
from darts_tf.programs.images import ImageProgramTask

TEXT = (
    "--space=darts_recurrent",
    "--dataset=text_folder",
    "--hidden_size=4",
    "--bptt=5",
    "--epochs=1",
    "--batch_size=8",
    "--learning_rate=5",
    "--learning_rate_min=5",
    "--measured_batch=2",
)


def last_epoch(folder) -> dict:
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    return [r for r in map(json.loads, rows) if r["kind"] == "epoch"][-1]


def test_images_of_both_parts_are_one():
    config = SearchConfig(
        dataset="digits", examples=200, seed=3, batch_size=16, train_portion=0.6
    )

    def parts(optimization):
        given = config.replace(optimization=optimization)
        data = ImageProgramTask().search_data(given)
        return [set(map(bytes, part.images)) for part in data.parts]

    train, valid = parts("bilevel")
    assert parts("joint_alternating") == [train | valid] * 2 + [valid]


def test_alpha_reads_far_from_w_the_same_text():
    config = SearchConfig(batch_size=2, bptt=4, measured_batch=1)
    text = np.arange(82)  # 10 windows in each of two streams
    far = text_data.far_from(text, 10, config, Replicas("one_device"))
    first = [int(x[0, 0]) for x, *_ in itertools.islice(far(0), 10)]
    assert first == [20, 24, 28, 32, 36, 0, 4, 8, 12, 16]
    assert int(next(iter(far(3)))[0][0, 0]) == 32


def test_search_on_two_devices(programs, tmp_path):
    folder = tmp_path / "search"
    output = programs.run(
        "search",
        *programs.space,
        "--dataset=digits",
        "--examples=100",
        "--channels=2",
        "--layers=3",
        "--batch_size=16",
        "--epochs=2",
        "--distribute=mirrored",
        "--optimization=joint_simultaneous",
        "--cost=parameters",
        "--cost_target=1.5k",
        "--cost_channels=2",
        "--cost_layers=3",
        f"--workdir={folder}",
        devices=2,
    )
    assert "Search finished" in output
    record = last_epoch(folder)
    assert record["cost/parameters/derived"] > 0
    assert record["cost/parameters/multiplier"] >= 0
    assert 0 <= record["union/accuracy"] <= 1
    assert record["step"] == 2 * (100 // 16)  # of the union
    given = (folder / "flags.txt").read_text()
    assert "--method=first_order" in given and "alpha_beta1" not in given
    with np.load(folder / "alpha.npz", allow_pickle=False) as history:
        assert np.abs(np.diff(history["normal"], axis=0)).max() > 0


def test_recurrent_search(programs, text, tmp_path):
    folder = tmp_path / "search"
    programs.run(
        "search",
        *TEXT,
        "--optimization=joint_alternating",
        f"--data_dir={text}",
        f"--workdir={folder}",
    )
    record = last_epoch(folder)
    assert record["union/perplexity"] > 1
    assert record["step"] > 400 // 8 // 5 + 5  # of both texts
