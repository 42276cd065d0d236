"""Checks who may import whom, by reading the imports, importlib's too."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "darts_tf"
BELOW = {
    "config",
    "config_rules",
    "space",
    "networks",
    "strategy",
    "estimation",
    "descent",
    "data",
    "run",
    "protocol",
}
MAY_IMPORT = {
    "config": set(),
    "config_rules": {"config", "space"},
    "errors": set(),
    "reading": set(),
    "space": set(),
    "descent": {"config"},
    "networks": {"space", "config"},
    "strategy": {"networks", "space", "descent", "config"},
    "estimation": {"networks", "space", "descent", "config"},
    "data": {"space", "config"},
    "run": {"space", "config"},
    "protocol": {"space", "run", "data", "config", "config_rules"},
    "programs": BELOW,
    "cli": {"config", "config_rules", "space", "run", "programs"},
    "__init__": {"programs", *BELOW},  # lazily
    "train": {"cli", "programs"},
}
FOR_ALL = {"errors", "reading"}
WITHOUT_TENSORFLOW = {
    "__init__",
    "cli",
    "config",
    "config_rules",
    "errors",
    "protocol",
    "reading",
    "space",
    "train",
}
TENSORFLOW = {"tensorflow", "keras", "tensorflow_datasets", "tensorboard"}
PARSES_FLAGS = "darts_tf/cli/"
FAST = "darts_tf.networks.compiled"
GATEWAYS = (
    "darts_tf/networks/compiled/",
    "darts_tf/networks/implementation.py",  # of layers, losses and trainings
    "darts_tf/networks/supernet_edges.py",  # of supernets, above the layers
    "darts_tf/strategy/darts/execution.py",
)
"""The only modules that may import the fast parts."""

FILES = sorted([*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "train").glob("*.py")])
PATHS = [path.relative_to(ROOT).as_posix() for path in FILES]


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yields full names; `from a import b` gives a.b, relative ones are resolved.

    In a module that calls importlib, names of this package's modules in
    strings count as imports.
    """
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
    if any(getattr(node, "attr", "") == "import_module" for node in nodes):
        for node in nodes:
            value = getattr(node, "value", None)
            if isinstance(value, str) and re.fullmatch(rf"{PACKAGE}(\.\w+)+", value):
                yield value


def reads_flags(tree: ast.AST) -> bool:
    """Returns True for any mention of absl's FLAGS or a flag's definition."""
    for node in ast.walk(tree):
        name = getattr(node, "id", getattr(node, "attr", None))
        if isinstance(node, ast.alias):
            name = node.name.rpartition(".")[2]
        if isinstance(name, str) and (name == "FLAGS" or name.startswith("DEFINE_")):
            return True
    return False


def room_of(path: str) -> str:
    """Returns the room of a file: its folder in the package, or its own name."""
    first, second, *_ = Path(path).with_suffix("").parts
    return first if first == "train" else second


def fast_parts(path: str, source: str) -> list[str]:
    """Returns the fast parts that a module imports and may not."""
    package = ".".join(Path(path).parts[:-1])
    if path.startswith(GATEWAYS):
        return []
    names = imported(ast.parse(source), package)
    return [f"{path} imports {name}" for name in names if name.startswith(FAST)]


def violations(path: str, source: str) -> list[str]:
    """Returns what `source`, as file `path` (darts_tf/room/name.py), does wrong."""
    room = room_of(path)
    tree, wrong = ast.parse(source), []
    allowed = MAY_IMPORT.get(room, set()) | FOR_ALL | {room}
    for name in imported(tree, ".".join(Path(path).parts[:-1])):
        first, *rest = name.split(".")
        if first in ("train", "tests"):
            wrong.append(f"{path} imports {name}")
        if first == PACKAGE and (not rest or rest[0] not in allowed):
            wrong.append(f"{path} imports {name}")
        if room in WITHOUT_TENSORFLOW and first in TENSORFLOW:
            wrong.append(f"{path} imports {name}")
    if not path.startswith(PARSES_FLAGS) and reads_flags(tree):
        wrong.append(f"{path} reads flags")
    return wrong + fast_parts(path, source)


@pytest.mark.parametrize("path", PATHS)
def test_the_import_rule(path):
    assert violations(path, (ROOT / path).read_text("utf-8")) == []


def test_every_room_is_known():
    assert {room_of(path) for path in PATHS} <= MAY_IMPORT.keys()


def test_programs_in_train_are_short():
    for path in PATHS:
        if path.startswith("train/"):
            assert len((ROOT / path).read_text("utf-8").splitlines()) <= 40


def modules_imported(path: str, modules: set[str]) -> set[str]:
    """Returns the package's modules that a file imports, wherever it does so."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found = set()
    for name in imported(tree, ".".join(Path(path).parts[:-1])):
        parts = name.split(".")
        while parts and ".".join(parts) not in modules:
            parts.pop()
        found.add(".".join(parts))
    return found - {"", PACKAGE}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Returns modules that import each other in a circle, [] without one."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if other != name and (found := visit(other, [*way, name])):
                return found
        done.add(name)
        return []

    return next(filter(None, (visit(name, []) for name in sorted(graph))), [])


def test_no_module_imports_itself_by_a_detour():
    names = {
        path: ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")
        for path in PATHS
    }
    modules = set(names.values())
    graph = {name: modules_imported(path, modules) for path, name in names.items()}
    assert circle(graph) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


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
        ("darts_tf/protocol/a.py", "from darts_tf.cli import flags"),
        ("darts_tf/programs/a.py", "from darts_tf.cli import flags"),
        ("darts_tf/errors.py", "from darts_tf.space import cell"),
        ("darts_tf/config.py", "from darts_tf.space import cell"),
        ("darts_tf/config.py", "import keras"),
        ("train/a.py", "from darts_tf.run import files"),
        ("darts_tf/data/a.py", "from absl import flags\nflags.FLAGS.epochs"),
        ("darts_tf/data/a.py", "from absl.flags import FLAGS as F"),
        ("darts_tf/data/a.py", "from absl import flags as f\nf.DEFINE_bool()"),
        ("darts_tf/networks/a.py", "from .compiled import shared_functions"),
        (
            "darts_tf/strategy/a.py",
            "from darts_tf.networks.compiled.flat_weights import FlatWeights",
        ),
        (
            "darts_tf/data/a.py",
            "import importlib\nM = {'a': 'darts_tf.run.files'}\n"
            "importlib.import_module(M['a'])",
        ),
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
        (
            "darts_tf/strategy/darts/execution.py",
            "from darts_tf.networks.compiled import flat_weights",
        ),
        ("darts_tf/networks/compiled/a.py", "from . import flat_weights"),
        ("darts_tf/networks/implementation.py", "from .compiled import flat_weights"),
        ("train/search.py", "from darts_tf.cli.scripts import search"),
    ],
)
def test_the_rule_allows(path, source):
    assert violations(path, source) == []


def test_hardly_anything_comes_before_the_hook_for_ctrl_c():
    """darts_tf.cli says "interrupted" from its import on; what is before is quick."""
    script = (
        "import importlib.util, runpy, sys\n"  # as `python -m` has loaded
        "before = {*sys.modules}\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import darts_tf.cli\n"
        "print(*sorted({*sys.modules} - before))\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {n for n in done.stdout.split() if not n.startswith("darts_tf")}
    assert loaded <= {"__future__"}
