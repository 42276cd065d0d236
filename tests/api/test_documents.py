"""The examples of README and docs are run, smaller.

What makes a block of commands smaller stands before it in the page, in a comment that
no reader sees: `<!-- test: --epochs=1 -->` adds flags to its searches, evaluations and
pipelines; `<!-- not run: WHY -->` leaves the block to another test.
"""

from __future__ import annotations

import pathlib
import re
import shlex
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf
from absl import flags
from PIL import Image

from darts_tf import config as configs
from darts_tf.cli import flags as config_flags
from darts_tf.config_rules import settle
from darts_tf.space import registry
from tests import forked
from tests.data.stand_ins import image, prepare

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = ("README", "docs/python_api", "docs/own_operations", "docs/own_images")
DOCUMENTS += ("docs/getting_started",)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
RUN = ("getting_started", "own_images", "own_text", "own_operations", "python_api")
"""Pages of docs whose commands are run."""

BLOCK = re.compile(
    r"(?:^<!-- (test|not run): ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S
)
SMALLER_BY = ("search", "evaluate", "pipeline")
"""Programs that get the flags of the comment."""

SMALLER = (
    (r"space=\"darts_conv\"", 'space="one_node"'),
    (r"\bspace=\"mine\"", 'space="mine", examples=128, method="first_order"'),
    (r"\bepochs=\d+", "epochs=1"),
    (r"finite_difference", "first_order"),
    (r"\bchannels=\d+", "channels=2"),
    (r"\"channels\": 8", '"channels": 2'),
    (r"\blayers=\d+", "layers=3"),
    (r"nodes=4", "nodes=1"),
)
"""Replacements in Python, old to new, so that a block takes seconds."""

SMALL = """
import darts_tf as dt
dt.cell_space("small", nodes=1, operations=["skip_connect", "sep_conv_3x3"])
"""
"""A plugin for commands: its space is quickly traced."""

ABRIDGED = "keras.Sequential([...])"
"""A block with this is the beginning of the one in docs/own_operations.md."""

NOT_RUN = {
    "pip install": "installs packages; tests/wheel.sh does that",
    "python3 -m venv": "makes an environment; tests/wheel.sh does that",
    "source .venv/bin/activate": "makes that environment the one in use",
    "tests/ci.sh": "runs these tests",
    "photos/": "shows a folder",
    "cats/": "shows a folder",
    "dogs/": "shows a folder",
}
"""Lines that are no command of ours, and why they are not parsed."""

KINDS = {
    "search": configs.SearchConfig,
    "evaluate": configs.TrainingConfig,
    "derive": configs.DerivationConfig,
    "export": configs.ExportConfig,
    "pipeline": configs.PipelineConfig,
}


def blocks(document: str, python: bool) -> list[str]:
    text = (ROOT / f"{document}.md").read_text("utf-8")
    shown = [(kind, code) for kind, code in FENCE.findall(text) if kind != "text"]
    return [code for kind, code in shown if (kind == "python") == python]


def parse(line: str) -> configs.Config:
    """Returns the settings of a command line, checked as the program does."""
    words = shlex.split(line)
    assert words[0].endswith("python") and words[1] == "-m", line
    kind = KINDS[words[2].removeprefix("train.")]
    values = flags.FlagValues()
    config_flags.define(kind, "Folder.", into=values)
    assert values(words[2:]) == [words[2]]
    return settle(config_flags.parsed_config(kind, values))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_are_accepted(document, monkeypatch):
    monkeypatch.chdir(ROOT)
    # What the commands' plugin would register.
    monkeypatch.setitem(registry.SPACES, "mine", registry.SPACES["one_node"])
    lines = "\n".join(blocks(document, python=False)).splitlines()
    for line in filter(None, lines):
        command = line.rpartition("&& ")[2]
        if "-m train." in command:
            parse(command)
        else:
            assert any(words in line for words in NOT_RUN), line


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a block of Python, made smaller, in a folder that has what it reads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(code: str, names: dict) -> None:
        for pattern, smaller in SMALLER:
            code = re.sub(pattern, smaller, code)
        exec(compile(code, "block", "exec"), names)

    return run


@pytest.mark.slow
def test_python_of_readme_api_and_getting_started(run, tmp_path):
    """The ten lines are in two documents; the second time the runs are finished."""
    ten, abridged = blocks("README", python=True)
    assert ABRIDGED in abridged
    again, saved, loaded = blocks("docs/python_api", python=True)
    assert again == ten
    names: dict = {}
    for code in (ten, again, saved, loaded):
        run(code, names)
    assert names["logits"].shape == (359, 10)
    assert (tmp_path / "runs/b/export/saved_model.pb").exists()

    shutil.copytree(tmp_path / "runs/b", tmp_path / "runs/digits/evaluate")
    (exported,) = blocks("docs/getting_started", python=True)
    run(exported, names)


@pytest.mark.slow
def test_python_of_own_operations(run, tmp_path):
    plugin, search = blocks("docs/own_operations", python=True)
    smaller = plugin.replace("nodes=4", "nodes=1")
    (tmp_path / "my_ops.py").write_text(smaller, "utf-8")
    names: dict = {}
    run(search, names)
    assert names["outcome"].genotype.space == "mine"


@pytest.mark.slow
def test_python_of_own_images(run, tmp_path, monkeypatch):
    for number in range(20):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number, 40)).save(path)
    examples = [{"id": str(n), "image": image(n), "label": n % 10} for n in range(20)]
    splits = {name: examples for name in ("train", "test", "extra")}
    prepare(monkeypatch, tmp_path / "DIR", "svhn_cropped", splits)
    x = np.stack([image(n) for n in range(20)])
    pairs = tf.data.Dataset.from_tensor_slices((x, np.arange(20) % 2))
    names = {"x": x, "y": np.arange(20) % 2, "train": pairs, "test": pairs}
    (code,) = blocks("docs/own_images", python=True)
    run(code, names)
    assert names["data"].name == "dataset"


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Returns (program, arguments) of every command of a page that is run, in order."""
    found = []
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    for kind, comment, language, code in BLOCK.findall(text):
        if language not in ("", "bash"):
            continue
        smaller = shlex.split(comment) if kind == "test" else []
        lines = code.replace("\\\n", " ").splitlines()
        for line in [] if kind == "not run" else filter(None, lines):
            if any(words in line for words in NOT_RUN):
                continue
            python, m, module, *arguments = shlex.split(line, comments=True)
            assert python.endswith("python") and m == "-m", line
            program = module.removeprefix("train.")
            assert program != module, line
            found.append((program, arguments + list(flags_for(program, smaller))))
    return found


def flags_for(program: str, smaller: list[str]) -> Iterator[str]:
    """Yields the flags of a comment that are for a program, as "search:--epochs=1"."""
    for word in smaller:
        only, _, flag = word.partition("--")
        if program in ([only[:-1]] if only else SMALLER_BY):
            yield f"--{flag}"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> pathlib.Path:
    """A folder with what the pages' commands read: flagfiles, photos and a text."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "configs").symlink_to(ROOT / "configs")
    for number in range(60):
        path = folder / "photos" / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image(number, 12 + number % 3)).save(path)
    words = np.random.default_rng(0).choice("a b c d e".split(), 400)
    (folder / "DIR").mkdir()
    for name in ("train", "valid", "test"):
        (folder / "DIR" / f"{name}.txt").write_text(" ".join(words) + "\n")
    plugin, _ = blocks("docs/own_operations", python=True)
    (folder / "my_ops.py").write_text(plugin.replace("nodes=4", "nodes=1"), "utf-8")
    (folder / "small.py").write_text(SMALL, "utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.program
@pytest.mark.parametrize("page", RUN)
def test_commands_run(page, place, tmp_path):
    for program, words in commands(page):
        output = tmp_path / "output.txt"
        code = forked.run(output, *words, module=f"train.{program}", folder=place)
        assert code == 0, f"{program} {words}\n{output.read_text('utf-8')}"
