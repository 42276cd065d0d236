"""Recurrent search, derivation, evaluation, export: in real processes."""

from __future__ import annotations

import json
import pathlib
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_multiplexer import (
    EventMultiplexer,
)
from tensorboard.util import tensor_util

from darts_tf.space.published import load_genotype

TINY = (
    "--space=darts_recurrent",
    "--dataset=text_folder",
    "--hidden_size=4",
    "--bptt=5",
    "--epochs=2",
    "--batch_size=8",
    "--learning_rate=5",
    "--measured_batch=2",
)
SEARCH = (
    *TINY,
    "--method=first_order",
    "--learning_rate_min=5",
    "--momentum=0",
    "--deterministic",
    "--checkpoint_every=2",
    "--report_every=3",
    "--alpha_learning_rate=0.1",
    "--dropout_x=0.2",
)


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
        "search", *SEARCH, f"--data_dir={text}", f"--workdir={folder}", drawn=True
    )
    assert "pipeline/text_evaluate.flags --hidden_size=128" in output
    assert output.count("memory: about ") == 1
    return folder


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as loaded:
        return {n: loaded[n] for n in loaded.files if "seconds" not in n}


def test_a_killed_search_is_as_one_left_alone(programs, text, found, tmp_path):
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


def test_derive_finds_what_the_search_found(programs, found):
    before = (found / "genotype.json").read_text()
    programs.run("derive", f"--workdir={found}")
    assert (found / "genotype.json").read_text() == before
    load_genotype(str(found / "genotype.json"), "darts_recurrent")


@pytest.fixture(scope="module")
def evaluation(programs, text, found, tmp_path_factory):
    """(folder, result) of an evaluation of the found cell, exported."""
    folder = tmp_path_factory.mktemp("runs") / "evaluate"
    output = programs.run(
        "evaluate",
        *TINY,
        f"--data_dir={text}",
        f"--workdir={folder}",
        f"--genotype={found / 'genotype.json'}",
    )
    result = json.loads((folder / "result.json").read_text())
    assert f"{result['test']['perplexity']:.2f}" in output
    assert output.count("memory: about ") == 1
    output = programs.run("export", f"--workdir={folder}")
    assert "serving_default" in output
    return folder, result


def test_the_exports_perplexity_is_the_results(text, evaluation):
    """Reads the test text as one stream, its state carried to its end."""
    folder, result = evaluation
    assert result["test"]["unknown_words"] == 0  # zebra is in train too
    model = tf.saved_model.load(str(folder / "export"))
    numbers = {w.decode(): n for n, w in enumerate(model.words.numpy())}
    lines = (text / "test.txt").read_text().splitlines()
    ids = [numbers[w] for line in lines for w in [*line.split(), "<eos>"]]
    assert len(ids) - 1 == result["test"]["words"]  # the first is not predicted
    got = model.signatures["step"](ids=tf.constant([ids[:-1]]), state=tf.zeros([1, 4]))
    logs = got["log_probabilities"].numpy()[0]
    mean = np.mean(logs[np.arange(len(ids) - 1), ids[1:]])
    assert np.exp(-mean) == pytest.approx(result["test"]["perplexity"], rel=1e-4)


def test_one_step_is_exported_for_litert(programs, evaluation, capsys):
    """Its perplexity of the validation text is the network's; the example runs."""
    folder, _ = evaluation
    output = programs.run("export", f"--workdir={folder}", "--format=litert")
    values = json.loads((folder / "export_litert" / "export.json").read_text())
    perplexity = values["perplexity"]
    assert perplexity["after"] == pytest.approx(perplexity["before"], rel=1e-4)
    assert f"{perplexity['after']:.2f}, before" in output
    capsys.readouterr()
    example = output[output.index("\nfrom pathlib") :]
    exec(compile(example, "example", "exec"), {})
    assert capsys.readouterr().out.count("'") == 20  # the ten best words


def test_what_a_language_model_is_not_exported_to(programs, evaluation):
    folder, _ = evaluation
    for flags, message in (
        (["--format=litert", "--quantize=int8"], "give --quantize=dynamic"),
        (["--format=onnx"], "give --format=saved_model or --format=litert"),
    ):
        output = programs.run("export", f"--workdir={folder}", *flags, code=2)
        assert message in output.splitlines()[-1]


def test_samples_show_in_tensorboard_after_each_epoch(evaluation):
    folder, result = evaluation
    events = EventMultiplexer().AddRun(str(folder), "run")
    events.Reload()
    texts = [
        tensor_util.make_ndarray(e.tensor_proto).item().decode()
        for e in events.Tensors("run", "samples")
    ]
    assert len(texts) == 2 and texts[0] != texts[1]
    assert [x.strip() for x in texts[1].splitlines()] == result["sample"]
