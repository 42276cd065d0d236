"""Who may import whom, read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "darts_tf"
MAY_IMPORT = {
    "space": set(),
    "descent": set(),
    "networks": {"space"},
    "strategy": {"networks", "space", "descent"},
    "estimation": {"networks", "space", "descent"},
    "data": {"space"},
    "run": {"space"},
    "cli": {"space", "run"},
    "protocol": {"space", "run", "data", "cli"},
    "programs": {
        "space",
        "descent",
        "networks",
        "strategy",
        "estimation",
        "data",
        "run",
        "cli",
        "protocol",
    },
}
FOR_ALL = "errors"
WITHOUT_TENSORFLOW = {"space", "protocol"}
TENSORFLOW = {"tensorflow", "keras", "tensorflow_datasets", "tensorboard"}
PARSES_FLAGS = "darts_tf/cli/"
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Full names; `from a import b` gives a.b, relative ones are resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def reads_flags(tree: ast.AST) -> bool:
    """Any mention of absl's FLAGS or a flag's definition."""
    for node in ast.walk(tree):
        name = getattr(node, "id", getattr(node, "attr", None))
        if isinstance(node, ast.alias):
            name = node.name.rpartition(".")[2]
        if isinstance(name, str) and (name == "FLAGS" or name.startswith("DEFINE_")):
            return True
    return False


def violations(path: str, source: str) -> list[str]:
    """What `source`, as file `path` (darts_tf/room/name.py), does wrong."""
    parts = Path(path).with_suffix("").parts
    room = parts[1] if len(parts) > 2 else None
    tree, wrong = ast.parse(source), []
    allowed = MAY_IMPORT.get(room, set()) | {FOR_ALL}
    for name in imported(tree, ".".join(parts[:-1])):
        first, *rest = name.split(".")
        if first in ("train", "tests"):
            wrong.append(f"{path} imports {name}")
        if first == PACKAGE and (
            not rest or (rest[0] != room and rest[0] not in allowed)
        ):
            wrong.append(f"{path} imports {name}")
        if room in WITHOUT_TENSORFLOW and first in TENSORFLOW:
            wrong.append(f"{path} imports {name}")
    if not path.startswith(PARSES_FLAGS) and reads_flags(tree):
        wrong.append(f"{path} reads flags")
    return wrong


@pytest.mark.parametrize("path", [p.relative_to(ROOT).as_posix() for p in FILES])
def test_the_import_rule(path):
    assert violations(path, (ROOT / path).read_text("utf-8")) == []


def test_every_room_is_known():
    rooms = {
        p.name
        for p in (ROOT / PACKAGE).iterdir()
        if p.is_dir() and list(p.glob("*.py"))
    }
    assert rooms and rooms <= MAY_IMPORT.keys()


@pytest.mark.parametrize(
    "path, source",
    [
        ("darts_tf/space/a.py", "import tensorflow as tf"),
        ("darts_tf/space/a.py", "def f():\n    from keras import layers"),
        ("darts_tf/space/a.py", "from darts_tf.networks import operations"),
        ("darts_tf/strategy/a.py", "import darts_tf.estimation.training"),
        ("darts_tf/estimation/a.py", "from darts_tf import strategy"),
        ("darts_tf/estimation/a.py", "from ..strategy import bilevel"),
        ("darts_tf/networks/a.py", "from darts_tf.descent import optimizers"),
        ("darts_tf/descent/a.py", "from darts_tf.space.cell import CellSpec"),
        ("darts_tf/data/a.py", "from darts_tf.run import files"),
        ("darts_tf/run/a.py", "from darts_tf.networks.conv import Supernet"),
        ("darts_tf/run/a.py", "import darts_tf"),
        ("darts_tf/run/a.py", "from train import search"),
        ("darts_tf/protocol/a.py", "from darts_tf.strategy.darts import derivation"),
        ("darts_tf/protocol/a.py", "import tensorflow"),
        ("darts_tf/errors.py", "from darts_tf.space import cell"),
        ("darts_tf/data/a.py", "from absl import flags\nflags.FLAGS.epochs"),
        ("darts_tf/data/a.py", "from absl.flags import FLAGS as F"),
        ("darts_tf/data/a.py", "from absl import flags as f\nf.DEFINE_bool()"),
    ],
)
def test_the_rule_can_be_broken(path, source):
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    "path, source",
    [
        ("darts_tf/run/a.py", "from darts_tf.errors import InputError"),
        ("darts_tf/run/a.py", "from . import files"),
        ("darts_tf/cli/entry_point.py", "from absl import flags\nflags.FLAGS(argv)"),
        ("darts_tf/strategy/a.py", "from ..networks import ops"),
    ],
)
def test_what_the_rule_allows(path, source):
    assert violations(path, source) == []
