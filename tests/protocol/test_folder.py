"""The folder's owner: refusals in one line, before anything runs."""

from __future__ import annotations

import json
import pathlib

import pytest

from darts_tf.errors import InputError
from darts_tf.protocol import folder
from darts_tf.run.workdir import open_workdir, read_settings
from tests.protocol.running import claim, write


def test_the_same_flags_go_on(values, stub):
    claim(values)
    claim(values, alone=True)
    stored = read_settings(values["workdir"])
    assert stored["short_flags --valid_fraction"] == "0.2"
    assert stored["search_seeds"] == 3 and "stage" not in stored


def test_a_plan_is_read_back(values, stub):
    claim(values | {"name": "ours"})
    plan = folder.load_plan(values["workdir"])
    assert (plan.name, plan.space, plan.strategy) == (
        "ours",
        "darts_conv",
        "darts",
    )
    assert plan.contents == folder.make_plan(values).contents
    assert plan.root == pathlib.Path(values["workdir"])


def test_another_flagfile_of_the_same_content_goes_on(values, stub, tmp_path):
    claim(values)
    other = tmp_path / "other.flags"
    other.write_text(f"--flagfile={values['short_flags']}\n")
    claim(values | {"short_flags": str(other)})


@pytest.mark.parametrize(
    "name, text, reason",
    [
        (
            "short_flags",
            "--dataset=digits\n--epochs=1\n--valid_fraction=0.3\n",
            "`short_flags --valid_fraction`: the run has 0.2, given 0.3",
        ),
        (
            "search_flags",
            "--dataset=digits\n",
            "`search_flags --method`: the run has first_order, given nothing",
        ),
    ],
)
def test_changed_flagfiles_are_refused(values, stub, name, text, reason):
    claim(values)
    write(values, name, text)
    with pytest.raises(InputError, match=reason):
        claim(values)


def test_counts_may_be_raised_and_not_lowered(values, stub):
    claim(values)
    claim(values | {"search_seeds": 4, "processes": 2, "snapshots": 1})
    plan = folder.load_plan(values["workdir"])
    assert list(plan.seeds) == [0, 1, 2, 3]
    with pytest.raises(
        InputError, match="`search_seeds=3`: the experiment has 4; it may be raised"
    ):
        claim(values)
    claim(values | {"search_seeds": 4, "evaluate_seeds": 9})
    text = (plan.root / "flags.txt").read_text()
    assert "--search_seeds=4\n" in text and "--evaluate_seeds=9\n" in text


def test_a_folder_of_something_else(values, stub):
    open_workdir(values["workdir"], {"dataset": "digits"}, "").close()
    with pytest.raises(InputError, match="a run that is no experiment"):
        claim(values)
    with pytest.raises(InputError, match="a run that is no experiment"):
        folder.load_plan(values["workdir"])


def test_a_whole_run_holds_the_folder(values, stub, monkeypatch):
    monkeypatch.setattr(folder, "PATIENCE_SECONDS", 0.2)
    plan = folder.make_plan(values)
    with folder.claim(plan, alone=True):
        for alone in (True, False):
            with pytest.raises(InputError, match="in use by a live run"):
                claim(values, alone)
    with folder.claim(plan, alone=False):
        claim(values)  # as the tasks of an array do


def test_snapshots_need_epochs(values, stub):
    values["snapshots"] = 1
    write(values, "search_flags", "--strategy=evolution\n")
    with pytest.raises(InputError, match="evolution has none"):
        folder.make_plan(values)


def test_a_training_that_does_not_parse_is_told_at_once(values, stub):
    stub.rule("check", "short.flags", code=2, says="")
    pathlib.Path(values["workdir"]).rmdir()
    with pytest.raises(InputError, match=r"`short_flags=\S+`: no reason"):
        claim(values)
    assert not pathlib.Path(values["workdir"]).exists()
    stub.rules.pop(0)
    stub.rule("check")
    claim(values)
    stub.forget()
    claim(values)
    assert not stub.calls()  # once is enough


def test_flags_are_json(values, stub):
    claim(values)
    text = pathlib.Path(values["workdir"], "config.json").read_text()
    assert json.loads(text)["config"]["evaluate_seeds"] == 2


def test_what_a_killed_writer_has_left_is_removed(values, stub):
    plan = folder.make_plan(values)
    for name in ("cells", "tasks"):
        (plan.root / name).mkdir(parents=True)
        (plan.root / name / ".a.json.123.tmp").write_text("half")
    claim(values, alone=True)
    assert not [*plan.root.glob("*/.*.tmp")]
