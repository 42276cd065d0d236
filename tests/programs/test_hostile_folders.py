"""Folders in which links were planted, and that are moved while a run is in them."""

from __future__ import annotations

import pathlib
import shutil
import time

import pytest

from darts_tf.errors import InputError
from darts_tf.run.workdir import open_workdir
from tests import kills

REFUSED = ("lock", "metrics.jsonl", "result.json")
"""Links of these names are refused before anything is written."""

SETTINGS = ("config.json",)
"""Files that make a folder that of a run."""

APPENDED = "evaluations.jsonl"


@pytest.fixture(scope="module")
def flags(tmp_path_factory) -> tuple[str, ...]:
    """A search of a second, by a table."""
    folder = tmp_path_factory.mktemp("table")
    return kills.RUNS["evolution by a table"](folder)[1:]


@pytest.fixture(scope="module")
def names(flags, programs, tmp_path_factory) -> list[str]:
    """All files that the search leaves, and these with the ending .tmp."""
    folder = tmp_path_factory.mktemp("run")
    programs.run("search", *flags, f"--workdir={folder}")
    paths = [path for path in folder.rglob("*") if path.is_file()]
    finals = [str(path.relative_to(folder)) for path in paths]
    assert "genotype.json" in finals and "evaluations.jsonl" in finals
    return finals + [f"{name}.tmp" for name in finals]


@pytest.mark.parametrize("dangling", [False, True])
def test_no_planted_link_is_followed(flags, names, programs, tmp_path, dangling):
    run, victims = tmp_path / "run", tmp_path / "victims"
    victims.mkdir()
    planted = sorted({*names} - {*REFUSED, *SETTINGS})
    planted = [name for name in planted if not name.startswith("checkpoints/")]
    for number, name in enumerate(planted):
        victim = victims / str(number)
        if not dangling:
            victim.write_text("precious")
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).symlink_to(victim)
    if dangling:  # what would be made by adding to it
        output = programs.run("search", *flags, f"--workdir={run}", code=1)
        assert f"error: {run / APPENDED}: " in output and "remove the link" in output
        (run / APPENDED).unlink()
    programs.run("search", *flags, f"--workdir={run}")
    assert (run / "genotype.json").is_file() and (run / "result.json").is_file()
    left = {path.name: path.read_text() for path in victims.iterdir()}
    count = 0 if dangling else len(planted)
    assert left == dict.fromkeys(map(str, range(count)), "precious")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("dangling", [False, True])
def test_planted_links_that_are_refused(tmp_path, name, dangling):
    run, victim = tmp_path / "run", tmp_path / "victim"
    run.mkdir()
    if not dangling:
        victim.write_text("precious")
    (run / name).symlink_to(victim)
    with pytest.raises(InputError, match="`workdir"):
        open_workdir(run, {"a": 1}, "--a=1\n")
    assert not victim.exists() if dangling else victim.read_text() == "precious"
    assert [path.name for path in run.iterdir()] == [name]


@pytest.mark.parametrize("end", ["moved", "replaced"])
def test_a_folder_that_goes_while_a_run_is_in_it(flags, programs, tmp_path, end):
    run, moved = tmp_path / "run", tmp_path / "moved"
    endless = [flag for flag in flags if not flag.startswith("--budget")]
    endless += ["--budget_seconds=100", f"--workdir={run}"]
    with programs.start("search", *endless) as process:
        while not (run / "evaluations.jsonl").exists() and process.poll() is None:
            time.sleep(0.01)
        run.rename(moved)
        if end == "replaced":
            run.mkdir()
        output, _ = process.communicate(60)
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert process.returncode == 1 and len(lines) == 1, output
    assert "moved or removed" in lines[0] and "the same command" in lines[0]
    assert "Traceback" not in output
    left = [*run.iterdir()] if run.exists() else []
    assert not left or names_of(left) <= {"evaluations.jsonl"}
    shutil.rmtree(run, ignore_errors=True)
    moved.rename(run)  # brought back: it goes on
    goes_on = [*flags, f"--workdir={run}"]
    programs.run("search", *goes_on)
    assert (run / "result.json").is_file()


def names_of(paths: list[pathlib.Path]) -> set[str]:
    return {path.name for path in paths}
