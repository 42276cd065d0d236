"""Recurrent search, derivation, evaluation, export: in real processes."""

from __future__ import annotations

import json
import pathlib
import time

import numpy as np
import pytest

from darts_tf.space.published import load_genotype

TINY = (
    "--space=darts_recurrent", "--dataset=text_folder", "--hidden_size=4",
    "--bptt=5", "--epochs=2", "--batch_size=8", "--learning_rate=5",
    "--measured_batch=2",
)  # fmt: skip
SEARCH = (
    *TINY, "--method=first_order", "--learning_rate_min=5", "--momentum=0",
    "--deterministic", "--checkpoint_every=2", "--report_every=3",
    "--alpha_learning_rate=0.1", "--dropout_x=0.2",
)  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> pathlib.Path:
    """A folder with a small text."""
    folder = tmp_path_factory.mktemp("text")
    words = "the cat sat on a mat and saw that dog".split()
    rng = np.random.default_rng(0)
    for name, lines in (("train", 60), ("valid", 20), ("test", 20)):
        rows = (" ".join(rng.choice(words, 5)) for _ in range(lines))
        (folder / f"{name}.txt").write_text("\n".join(rows) + "\nzebra\n")
    return folder


@pytest.fixture(scope="module")
def found(programs, text, tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("runs") / "search"
    output = programs.run(
        "search", *SEARCH, f"--data_dir={text}", f"--workdir={folder}"
    )
    assert "--flagfile=configs/ptb/evaluate.flags" in output
    return folder


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as loaded:
        return {n: loaded[n] for n in loaded.files if "seconds" not in n}


def test_a_killed_search_is_as_one_left_alone(
    programs, text, found, tmp_path
):
    folder = tmp_path / "killed"
    flags = (*SEARCH, f"--data_dir={text}", f"--workdir={folder}")
    with programs.start("search", *flags) as process:
        while not list((folder / "checkpoints").glob("step*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not (folder / "genotype.json").exists()
    programs.run("search", *flags)
    (last,) = [p.name for p in [max((found / "checkpoints").glob("step*"))]]
    for name in ("alpha.npz", f"checkpoints/{last}"):
        alone, other = arrays(found / name), arrays(folder / name)
        assert alone.keys() == other.keys()
        for key, value in alone.items():
            np.testing.assert_array_equal(value, other[key], err_msg=key)


def test_derive_evaluate_export(programs, text, found, tmp_path):
    before = (found / "genotype.json").read_text()
    programs.run("derive", f"--workdir={found}")
    assert (found / "genotype.json").read_text() == before
    load_genotype(str(found / "genotype.json"), "darts_recurrent")
    folder = tmp_path / "evaluate"
    output = programs.run(
        "evaluate", *TINY, f"--data_dir={text}", f"--workdir={folder}",
        f"--genotype={found / 'genotype.json'}",
    )  # fmt: skip
    result = json.loads((folder / "result.json").read_text())
    assert 1 < result["test"]["perplexity"] < 50
    assert result["test"]["unknown_words"] == 0  # zebra is in train too
    assert f"{result['test']['perplexity']:.2f}" in output
    output = programs.run("export", f"--workdir={folder}")
    assert "serving_default" in output
    assert (folder / "export" / "saved_model.pb").exists()
