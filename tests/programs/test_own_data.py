"""A run on a user's own folder goes on with the data that it began with."""

from __future__ import annotations

import types

import pytest

from darts_tf.config import TrainingConfig
from darts_tf.errors import InputError
from darts_tf.programs import setup
from darts_tf.programs.own_data import require_same_data, source_of
from darts_tf.run import settings_files

CONFIG = TrainingConfig(dataset="folder", data_dir="photos", genotype="DARTS_V2")
ALONE = types.SimpleNamespace(chief=True, total=lambda number: number)


def data(fingerprint):
    return types.SimpleNamespace(fingerprint=fingerprint)


def start(folder, fingerprint, config=CONFIG):
    with setup.open_run("evaluate", config, folder, ALONE, data(fingerprint)):
        return settings_files.read(folder)


def test_other_images_are_refused(tmp_path):
    assert start(tmp_path, "a")["fingerprint"] == "a"
    assert "fingerprint" not in (tmp_path / "flags.txt").read_text()
    start(tmp_path, "a", CONFIG.replace(data_dir="moved"))
    with pytest.raises(InputError, match="holds a run on other data: examples were"):
        start(tmp_path, "b")


def test_a_run_of_before_takes_the_images_that_are_there(tmp_path):
    values = setup.run_values(CONFIG)
    settings_files.write(tmp_path, "evaluate", values)
    assert start(tmp_path, "a")["fingerprint"] == "a"
    with pytest.raises(InputError, match="other data"):
        start(tmp_path, "b")


def test_other_settings_are_refused_before_the_data_are_read(tmp_path):
    start(tmp_path, "a")
    setup.check_free(tmp_path, ALONE, "evaluate", CONFIG)
    with pytest.raises(InputError, match="`epochs`: the run has 600, given 3"):
        setup.check_free(tmp_path, ALONE, "evaluate", CONFIG.replace(epochs=3))
    with pytest.raises(InputError, match="a run of train.evaluate"):
        setup.check_free(tmp_path, ALONE, "search", CONFIG)


def test_what_reads_the_data_again_recognises_them():
    whole = data("a")
    parts = types.SimpleNamespace(images=whole)
    assert source_of(parts) is source_of(whole) is whole
    require_same_data({}, parts, "runs/a")
    require_same_data({"fingerprint": "a"}, parts, "runs/a")
    with pytest.raises(InputError, match="`workdir=runs/a` holds a run on other data"):
        require_same_data({"fingerprint": "b"}, parts, "runs/a")


def test_a_run_begins_on_the_data_of_the_runs_beside_it(tmp_path):
    config = CONFIG.replace(same_data_as=str(tmp_path))
    start(tmp_path / "short" / "a", "a", config)
    settings_files.write(tmp_path, "experiment", {"search_seeds": 1})
    start(tmp_path / "short" / "b", "a", config)
    start(tmp_path / "full" / "c", "b", config.replace(image_size=8))
    with pytest.raises(InputError, match="the data are not those of .*/short/a: exam"):
        start(tmp_path / "full" / "b", "b", config)
    assert not (tmp_path / "full" / "b").exists()
    start(tmp_path / "full" / "b", "a", config)
    with pytest.raises(InputError, match="`same_data_as=nowhere` is no folder"):
        start(tmp_path / "d", "a", config.replace(same_data_as="nowhere"))
