"""A file of one's own operation and space, from the command line, anywhere."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from darts_tf.errors import InputError
from darts_tf.programs import plugins
from tests import forked

ROOT = pathlib.Path(__file__).parents[2]
PLUGIN = """
import keras
import darts_tf as dt

@dt.register_operation("twice_3x3")
def twice(channels, stride):
    return keras.Sequential([
        keras.layers.ReLU(),
        keras.layers.Conv2D(channels, 3, stride, padding="same", use_bias=False),
        keras.layers.Conv2D(channels, 1, use_bias=False),
    ])

dt.cell_space("twofold", nodes=2, operations=["twice_3x3", "skip_connect", "none"])
"""
TINY = (
    "--dataset=digits",
    "--examples=120",
    "--channels=2",
    "--layers=3",
    "--batch_size=10",
    "--epochs=1",
    "--crop_padding=0",
    "--noflip",
)


def run(folder, program, *arguments) -> str:
    """Runs a fork of a program in a folder (tests/forked.py)."""
    output = folder / "output.txt"
    code = forked.run(output, program, *arguments, module="darts_tf.cli", folder=folder)
    text = output.read_text(errors="replace")
    assert code == 0, text
    return text


def run_anywhere(folder, program, *arguments, code: int = 0) -> str:
    """Runs a program in a folder where train/ cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-m", "darts_tf.cli", program, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def mine(tmp_path) -> tuple[str, ...]:
    (tmp_path / "mine.py").write_text(PLUGIN)
    return "--plugin=mine.py", "--space=twofold"


@pytest.mark.program
@pytest.mark.slow
def test_searched_and_derived(tmp_path, mine):
    search = f"--workdir={tmp_path / 'search'}"
    flags = (*TINY, *mine, "--method=first_order", search)
    output = run_anywhere(tmp_path, "search", *flags)
    assert "--space=twofold" in output and "--plugin=" in output
    assert "twofold" in run(tmp_path, "derive", search)


@pytest.mark.program
@pytest.mark.slow
def test_drawn_evaluated_and_exported(tmp_path, mine):
    folder = tmp_path / "drawn"
    drawn = run(tmp_path, "derive", *mine, "--random=1", f"--workdir={folder}")
    assert "twice_3x3" in drawn and (folder / "genotype.png").exists()
    evaluation = f"--workdir={tmp_path / 'evaluate'}"
    genotype = f"--genotype={folder / 'genotype.json'}"
    run(
        tmp_path, "evaluate", *TINY, *mine, "--auxiliary_weight=0", genotype, evaluation
    )
    # Its plugin is known to the run, from any folder.
    assert "SavedModel" in run(folder, "export", evaluation)
    assert (tmp_path / "evaluate" / "export" / "saved_model.pb").exists()


def test_an_unknown_space_says_how_to_register_it(tmp_path):
    flags = ("--space=twofold", "--workdir=x")
    output = run_anywhere(tmp_path, "search", *flags, code=2)
    (line,) = output.splitlines()
    assert line.startswith("error: --space=twofold: unknown space") and "plugin" in line


def test_a_plugin_is_imported_once(tmp_path):
    path = tmp_path / "counting.py"
    path.write_text(
        "import pathlib\n"
        "with open(pathlib.Path(__file__).with_suffix('.log'), 'a') as log:\n"
        "    log.write('x')\n"
    )
    for _ in range(2):
        plugins.load(str(path))
    plugins.load(None)
    assert path.with_suffix(".log").read_text() == "x"


@pytest.mark.parametrize(
    "source, words",
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("import no_such_module", "ModuleNotFoundError: No module named"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_plugin_that_fails_is_one_line(tmp_path, source, words):
    path = tmp_path / "bad.py"
    path.write_text(source)
    with pytest.raises(InputError, match=words) as error:
        plugins.load(str(path))
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(InputError, match="is no file"):
        plugins.load(str(tmp_path / "missing.py"))


def test_a_plugin_may_have_dataclasses(tmp_path):
    path = tmp_path / "with_dataclass.py"
    path.write_text(
        "from __future__ import annotations\n"
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class Sizes:\n"
        "    kernel: int = 3\n"
    )
    plugins.load(str(path))
    del sys.modules["plugin_with_dataclass"]
