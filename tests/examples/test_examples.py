"""The scripts of examples/, each with small sizes."""

from __future__ import annotations

import importlib.util
import pathlib

import numpy as np
import pytest

import darts_tf as dt
from darts_tf.networks import operation_registry
from darts_tf.space import registry
from tests import forked

ROOT = pathlib.Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
MOST_LINES = 40


@pytest.fixture
def example(tmp_path, monkeypatch):
    """Imports an example as a script that was started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names = set(operation_registry._registrations)
    spaces = set(registry.SPACES)

    def load(name: str):
        spec = importlib.util.spec_from_file_location(
            f"example_{name}", ROOT / "examples" / f"{name}.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in set(operation_registry._registrations) - names:
        operation_registry.unregister_operation(name)
    for name in set(registry.SPACES) - spaces:
        del registry.SPACES[name]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_is_short_and_says_how_to_start_it(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert f"\npython examples/{path.name}\n" in text


@pytest.mark.slow
def test_digits(example, tmp_path, capsys):
    dt.cell_space(
        "two_operations", nodes=1, operations=["max_pool_3x3", "skip_connect"]
    )
    result = example("digits").main(
        search_epochs=1, training_epochs=1, space="two_operations"
    )
    assert result["test"]["images"] == 359
    printed = capsys.readouterr().out
    assert '"space": "two_operations"' in printed and "test error: " in printed
    assert [path.name for path in tmp_path.iterdir()] == ["alpha.png"]


@pytest.mark.slow
def test_own_arrays(example):
    before, loaded = example("own_arrays").main(epochs=3)
    assert before == loaded and before > 0.9


@pytest.mark.slow
def test_own_operation(example, tmp_path):
    result = example("own_operation").main(epochs=1)
    assert "ghost_conv_3x3" in result["genotype"]["definition"]["operations"]
    assert result["multiply_adds"] > 0 and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_own_space_from_python(example):
    genotype = example("own_space").main(epochs=1)
    assert genotype.space == "squeezed"
    assert dt.Genotype.from_json(genotype.to_json()) == genotype


@pytest.mark.slow
@pytest.mark.program
def test_own_space_as_a_plugin(tmp_path):
    plugin = ROOT / "examples" / "own_space.py"
    flags = ["search", f"--plugin={plugin}", "--space=squeezed"]
    flags += "--dataset=digits --examples=120 --channels=2 --layers=3".split()
    flags += "--batch_size=10 --epochs=1 --noflip --crop_padding=0".split()
    flags += ["--method=first_order", "--workdir=run"]
    output = tmp_path / "output.txt"
    code = forked.run(output, *flags, module="darts_tf.cli", folder=tmp_path)
    assert code == 0, output.read_text(errors="replace")
    genotype = (tmp_path / "run" / "genotype.json").read_text("utf-8")
    assert '"squeezed"' in genotype and "gated_conv_3x3" in genotype


@pytest.mark.slow
def test_recurrent(example, tmp_path):
    random = np.random.default_rng(0)
    for part in ("train", "valid", "test"):
        words = random.choice("a b c d e".split(), 3000)
        (tmp_path / f"{part}.txt").write_text(" ".join(words) + "\n")
    assert 1 < example("recurrent").main(str(tmp_path)) < 100
