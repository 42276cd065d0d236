"""The package's metadata: dependencies, version, licence."""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import sys

import pytest

import darts_tf

if sys.version_info < (3, 11):
    tomllib = pytest.importorskip("tomli")
else:
    import tomllib

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def requirements(name: str) -> list[str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    plain = [line.partition("#")[0].strip() for line in lines]
    return [line for line in plain if line and not line.startswith("-r ")]


def test_dependencies_are_those_of_the_requirements_file():
    assert PROJECT["dependencies"] == requirements("requirements.txt")


def test_test_requirements_are_the_extras_test_and_docs():
    extras = PROJECT["optional-dependencies"]
    assert extras["test"] + extras["docs"] == requirements("requirements-test.txt")


def test_version_is_the_newest_of_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.M).group(1)
    assert newest == darts_tf.__version__


def test_licence_is_apache():
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")[:200]
    assert PROJECT["license"] == "Apache-2.0"


@pytest.mark.parametrize("program", sorted(PROJECT["scripts"]))
def test_each_program_has_a_function(program):
    from darts_tf.cli import scripts

    module, _, function = PROJECT["scripts"][program].partition(":")
    assert module == scripts.__name__
    assert callable(getattr(scripts, function))


def test_an_installed_package_has_this_version():
    try:
        installed = importlib.metadata.version("darts-tf")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("darts-tf is not installed here")
    assert installed == darts_tf.__version__
