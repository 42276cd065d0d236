"""The settings in a run's folder: config.json, older flags.json, flags.txt."""

from __future__ import annotations

import json

import pytest

from darts_tf.config import SearchConfig
from darts_tf.config_rules import settle
from darts_tf.errors import InputError
from darts_tf.run import settings_files


def test_a_flagfile_is_sorted_and_leaves_out_what_is_not_set():
    text = settings_files.as_flagfile({"b": 2, "c": None, "a": True, "d": ["x", "y"]})
    assert text == "--a\n--b=2\n--d=x,y\n"
    assert settings_files.as_flagfile({"a": "x\n--b=2"}) == "--a=x --b=2\n"


@pytest.mark.parametrize("name", ["workdir", "data_dir", "download", "plugin"])
def test_the_hash_does_not_know_where_things_lie(name):
    def digest(values):
        return settings_files.digest(SearchConfig, values)

    usual = {"epochs": 3, name: "x"}
    assert len(digest(usual)) == 16
    assert digest(usual | {name: "y"}) == digest(usual)
    assert digest({name: "x", "epochs": 3}) == digest(usual)
    assert digest(usual | {"epochs": 4}) != digest(usual)


def test_a_run_is_repeated_from_its_config(tmp_path):
    config = SearchConfig(channels=4, instruments=["gap"])
    settings_files.write(tmp_path, "search", {"channels": 4, "instruments": ["gap"]})
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["version"] == 1 and content["program"] == "search"
    assert SearchConfig.from_stored(settings_files.read(tmp_path)) == config


def test_an_older_run_did_what_there_was_no_name_for(tmp_path):
    (tmp_path / "flags.json").write_text('{"space": "s1", "channels": 4}')
    stored = SearchConfig.from_stored(settings_files.read(tmp_path))
    assert (stored.jit, stored.strategy) == ("off", "darts")
    assert (stored.optimization, stored.channels) == ("bilevel", 4)
    assert stored.partial_channels == 1 and stored.compiled


@pytest.mark.parametrize("name", ["config.json", "flags.json"])
def test_a_run_keeps_what_it_did_where_a_default_has_changed(tmp_path, name):
    values = {"space": "s1", "crop_padding": 1, "seed": 3}
    content = values if name == "flags.json" else {"version": 1, "config": values}
    (tmp_path / name).write_text(json.dumps(content))
    started = settings_files.as_started(SearchConfig(seed=3), tmp_path)
    assert (started.shuffle_rounds, started.examples_seed) == (4, 3)
    assert started.given == {"seed"}
    given = SearchConfig(shuffle_rounds=16, examples_seed=0)
    assert settings_files.as_started(given, tmp_path) == given
    settings_files.write(tmp_path, "search", values | {"shuffle_rounds": 8})
    again = settings_files.as_started(SearchConfig(), tmp_path)
    assert (again.shuffle_rounds, again.examples_seed) == (8, 3)


def test_a_search_with_targets_from_before_floors_has_none(tmp_path):
    values = {"space": "s1", "crop_padding": 1, "cost_target": "3M"}
    settings_files.write(tmp_path, "search", values)
    assert settings_files.as_started(SearchConfig(), tmp_path).cost_floor == 0
    assert settings_files.read(tmp_path)["cost_floor"] == 0
    settings_files.write(tmp_path, "search", values | {"cost_floor": 0.95})
    assert settings_files.as_started(SearchConfig(), tmp_path).cost_floor == 0.95
    settings_files.write(tmp_path, "search", values | {"cost_target": None})
    assert settings_files.as_started(SearchConfig(), tmp_path).cost_floor is None


def test_a_new_run_and_one_of_text_take_the_defaults(tmp_path):
    usual = SearchConfig()
    assert settings_files.as_started(usual, tmp_path / "none") == usual
    settings_files.write(tmp_path, "search", {"space": "darts_recurrent", "seed": 3})
    assert settings_files.as_started(usual, tmp_path) == usual
    assert "shuffle_rounds" not in settings_files.read(tmp_path)


def test_another_version_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"version": 2, "config": {}}')
    with pytest.raises(InputError, match="has version 2"):
        settings_files.read(tmp_path)


def test_a_run_keeps_what_its_recipe_set_where_the_recipe_has_changed(tmp_path):
    values = {"recipe": "robust", "warmup_epochs": 7, "shuffle_rounds": 16}
    settings_files.write(tmp_path, "search", values)
    new = settle(SearchConfig(recipe="robust"))
    assert new.warmup_epochs != 7
    assert settings_files.as_started(new, tmp_path).warmup_epochs == 7
    given = settle(SearchConfig(recipe="robust", warmup_epochs=2))
    assert settings_files.as_started(given, tmp_path).warmup_epochs == 2
    plain = settle(SearchConfig())
    assert settings_files.as_started(plain, tmp_path).warmup_epochs == 0
