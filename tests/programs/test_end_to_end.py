"""Search, derive, evaluate, export: as a user does, in real processes."""

from __future__ import annotations

import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from darts_tf.space.published import load_genotype

ROOT = pathlib.Path(__file__).parents[2]
SEARCH_FILES = {
    "flags.txt",
    "config.json",
    "metrics.jsonl",
    "genotype.json",
    "genotype.png",
    "genotype.svg",
    "genotypes",
    "alpha.npz",
    "likely.json",
    "checkpoints",
    "result.json",
    "report.html",
    "lock",
}
RESULT = {
    "genotype",
    "seed",
    "flags",
    "flags_hash",
    "versions",
    "seconds",
    "first_step_seconds",
    "steps",
    "devices",
    "peak_memory",
}
TIMES = {"seconds", "first_step_seconds", "peak_memory"}


def names(folder) -> set[str]:
    """Returns the names of a folder's files without TensorBoard's."""
    found = {path.name for path in folder.iterdir()}
    return {name for name in found if not name.startswith("events.out.")}


def result(folder) -> dict:
    return json.loads((folder / "result.json").read_text())


def untimed(folder) -> dict:
    return {k: v for k, v in result(folder).items() if k not in TIMES}


def has_events(folder) -> bool:
    files = list(folder.glob("events.out*"))
    return bool(files) and all(file.stat().st_size for file in files)


@pytest.fixture(scope="module")
def evaluation(programs, searched, tmp_path_factory):
    """(flags, folder) of a finished evaluation of the found genotype."""
    folder = tmp_path_factory.mktemp("runs") / "evaluate"
    flags = (
        *programs.tiny,
        *programs.space,
        "--batch_size=32",
        "--epochs=1",
        "--noflip",
        f"--genotype={searched / 'genotype.json'}",
        "--valid_fraction=0.2",
        f"--workdir={folder}",
    )
    output = programs.run("evaluate", *flags, drawn=True)
    assert "test error" in output and "train.export" in output
    assert "memory: about " in output
    return flags, folder


def test_search_leaves_its_files(searched):
    assert names(searched) == SEARCH_FILES and has_events(searched)
    assert "Finished: 24 steps" in (searched / "report.html").read_text()
    assert names(searched / "genotypes") == {"epoch_0001.json", "epoch_0002.json"}
    last = searched / "genotypes" / "epoch_0002.json"
    found = searched / "genotype.json"
    assert load_genotype(str(found), "small") == load_genotype(str(last), "small")
    likely = json.loads((searched / "likely.json").read_text())
    assert likely[0] == json.loads(found.read_text())
    assert len({json.dumps(genotype) for genotype in likely}) == len(likely) > 1
    assert set(result(searched)) == RESULT | {
        "skip_connections",
        "collapsed",
        "early_stop",
    }
    assert result(searched)["steps"] == 24


def test_search_keeps_the_history_of_alpha(searched):
    with np.load(searched / "alpha.npz", allow_pickle=False) as history:
        assert set(history.files) == {"normal", "reduce", "temperature"}
        assert history["temperature"].tolist() == [1, 0.25]
        for name in ("normal", "reduce"):
            assert history[name].shape == (2, 5, 2)
            assert np.abs(np.diff(history[name], axis=0)).max() > 0.01


def test_search_again_only_repeats_its_result(programs, searched):
    kept = ("alpha.npz", "genotype.json", "metrics.jsonl")
    before = [(searched / name).read_bytes() for name in kept]
    measured = untimed(searched)
    output = programs.run(
        "search",
        f"--flagfile={searched / 'flags.txt'}",
        f"--workdir={searched}",
    )
    assert "Search finished: 24 steps" in output
    (told,) = re.findall("memory: about .*", output)
    assert "; free: " in told and "; with" not in told  # nothing saves here
    (proposed,) = re.findall(r"train.evaluate --flagfile=(\S+)", output)
    assert (ROOT / proposed).is_file()
    assert [(searched / name).read_bytes() for name in kept] == before
    assert untimed(searched) == measured


def test_a_damaged_result_is_written_anew(programs, searched, tmp_path):
    folder = shutil.copytree(searched, tmp_path / "search")
    (folder / "result.json").write_text('{"damaged')
    output = programs.run(
        "search", f"--flagfile={searched / 'flags.txt'}", f"--workdir={folder}"
    )
    assert "Search finished: 24 steps" in output
    assert result(folder)["genotype"] == result(searched)["genotype"]


def test_derive_finds_what_the_search_found(programs, searched):
    before = (searched / "genotype.json").read_text()
    (searched / "genotype.json").unlink()
    output = programs.run("derive", f"--workdir={searched}", drawn=True)
    assert (searched / "genotype.json").read_text() == before
    assert before in output and "genotype.svg" in output
    assert (searched / "alpha.png").stat().st_size
    (searched / "alpha.png").unlink()


def test_derive_after_an_epoch_finds_that_epochs(programs, searched):
    before = (searched / "genotype.json").read_text()
    output = programs.run("derive", f"--workdir={searched}", "--epoch=1")
    assert (searched / "genotypes" / "epoch_0001.json").read_text() in output
    assert (searched / "genotype.json").read_text() == before
    for name in ("alpha.png", "genotype_0001.png", "genotype_0001.svg"):
        (searched / name).unlink()


def test_evaluation_leaves_its_files(evaluation, searched):
    _, folder = evaluation
    added = {"confusion.npz", "example.png"}
    assert names(folder) == SEARCH_FILES - {"likely.json", "alpha.npz"} | added
    assert has_events(folder)
    found = result(folder)
    assert set(found) == RESULT | {
        "valid",
        "test",
        "parameters",
        "multiply_adds",
        "chance",
        "data",
    }
    assert found["genotype"] == result(searched)["genotype"]
    assert 0 <= found["test"]["error"] <= 1
    assert found["peak_memory"]["process"] > 10_000_000
    with np.load(folder / "confusion.npz", allow_pickle=False) as arrays:
        counts = arrays["test"]
    assert counts.shape == (10, 10) and counts.sum() == found["test"]["images"]
    assert 1 - counts.trace() / counts.sum() == found["test"]["error"]
    assert len(found["test"]["class_accuracy"]) == 10
    page = (folder / "report.html").read_text()
    assert "Confusion matrix" in page and f"{found['test']['error']:.2%}" in page
    assert set(found["valid"]) == {
        "error",
        "best_error",
        "best_epoch",
        "images",
        "largest_class_share",
    }


def printed_class(output: str, capsys) -> str:
    """Runs the example at a summary's end as printed; returns the class it names."""
    capsys.readouterr()
    code = output[re.search(r"^(import|from) ", output, re.M).start() :]
    exec(compile(code, "example", "exec"), {})
    name, probability = capsys.readouterr().out.split()
    assert 0 < float(probability) <= 1
    return name


def test_export_and_evaluation_again(programs, evaluation, capsys):
    flags, folder = evaluation
    before = (folder / "result.json").read_text()
    output = programs.run("export", f"--workdir={folder}")
    assert "SavedModel" in output
    assert "images of 8 x 8 pixels (height x width), grey: uint8" in output
    assert "images were used as they are" in output
    assert repr(str(folder / "example.png")) in output
    assert printed_class(output, capsys) in "0123456789"
    graph = (folder / "export" / "saved_model.pb").read_bytes()
    assert graph and b"CustomGradient" not in graph
    assert "Evaluation finished" in programs.run("evaluate", *flags)
    assert (folder / "result.json").read_text() == before


@pytest.mark.slow
def test_an_export_of_8_bits_is_measured_and_its_example_runs(
    programs, evaluation, capsys
):
    _, folder = evaluation
    flags = ("--format=litert", "--quantize=int8")
    output = programs.run("export", f"--workdir={folder}", *flags)
    export = folder / "export_litert_int8"
    values = json.loads((export / "export.json").read_text())
    assert values["bytes"] == (export / "model.tflite").stat().st_size
    accuracy = values["accuracy"]
    assert accuracy["part"] == "valid"
    assert accuracy["images"] == result(folder)["valid"]["images"]
    error = result(folder)["valid"]["error"]
    assert accuracy["before"] == pytest.approx(1 - error, abs=1e-6)
    assert f"{accuracy['after']:.2%}, before {accuracy['before']:.2%}" in output
    assert printed_class(output, capsys) in "0123456789"
