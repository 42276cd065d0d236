"""The command that a search's summary proposes works as it is printed."""

from __future__ import annotations

import json
import shlex

import pytest
from absl import flags
from PIL import Image

from darts_tf.cli import flags as config_flags
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.config_rules import settle
from darts_tf.programs import next_command
from darts_tf.programs.data_facts import Machine
from darts_tf.programs.next_command import evaluation_command
from darts_tf.run.workdir import Workdir


@pytest.fixture
def data(tmp_path):
    """A folder of photographs and texts."""
    for name in ("a", "b"):
        (tmp_path / "my photos" / name).mkdir(parents=True)
        for number in range(48):
            size = (40 + number, 50)
            Image.new("RGB", size).save(tmp_path / "my photos" / name / f"{number}.png")
    (tmp_path / "text").mkdir()
    for part in ("train", "valid", "test"):
        (tmp_path / "text" / f"{part}.txt").write_text("a b c d\n" * 200)
    return tmp_path


@pytest.fixture
def gpus(monkeypatch):
    """Sets the machine's number of GPUs."""

    def use(count: int) -> None:
        machine = Machine(2, 16e9, count)
        monkeypatch.setattr(next_command, "this_machine", lambda: machine)

    use(0)
    return use


def parsed(folder, **settings) -> tuple[TrainingConfig, str]:
    """The settings of the proposed command, as its program checks them."""
    workdir = Workdir(folder / "runs" / "search")
    words = shlex.split(evaluation_command(workdir, SearchConfig(**settings)))
    assert words[:3] == ["python", "-m", "train.evaluate"]
    values = flags.FlagValues()
    config_flags.define(TrainingConfig, "Folder.", into=values)
    assert len(values(words[2:])) == 1
    config = settle(config_flags.parsed_config(TrainingConfig, values))
    assert config.genotype == str(workdir.genotype)
    return config, values.workdir


def test_own_photographs_keep_their_size_and_get_fitting_sizes(data, gpus):
    path = str(data / "my photos")
    config, folder = parsed(
        data, dataset="folder", data_dir=path, image_size=24, flip=False
    )
    assert (config.dataset, config.data_dir) == ("folder", path)
    assert (config.image_size, config.flip) == (24, False)
    assert config.channels == 16 and config.epochs <= 60
    assert config.batch_size <= 24
    assert folder == str(data / "runs" / "evaluate")


def test_a_folder_that_is_taken_is_not_proposed(data, gpus):
    (data / "runs" / "evaluate").mkdir(parents=True)
    _, folder = parsed(data, dataset="digits")
    assert folder == str(data / "runs" / "search_evaluate")


def test_own_text(data, gpus):
    path = str(data / "text")
    config, _ = parsed(
        data, dataset="text_folder", data_dir=path, space="darts_recurrent"
    )
    assert config.space == "darts_recurrent" and config.data_dir == path
    assert config.hidden_size == 128 and 1000 // config.batch_size > config.bptt


def test_embedded_sets_have_their_flagfiles(data, gpus):
    config, _ = parsed(data, dataset="digits", space="s2")
    assert (config.dataset, config.space, config.epochs) == ("digits", "s2", 15)
    config, _ = parsed(data, dataset="python_topics", space="darts_recurrent")
    assert (config.dataset, config.hidden_size) == ("python_topics", 96)


def test_a_gpu_gets_the_papers_sizes(data, gpus):
    gpus(1)
    config, _ = parsed(data, dataset="cifar10", data_dir=str(data))
    assert (config.channels, config.layers, config.epochs) == (36, 20, 600)
    assert config.data_dir == str(data)


def test_without_the_data_the_papers_sizes_remain(data, gpus):
    config, _ = parsed(data, dataset="folder", data_dir=str(data / "gone"))
    assert (config.dataset, config.channels) == ("folder", 36)


def test_a_chain_has_the_width_of_its_search(data, gpus):
    search = {"space": "mobile_chain", "width_multiplier": 0.5, "image_size": 32}
    for folder in ("my photos", "gone"):
        path = str(data / folder)
        config, _ = parsed(data, dataset="folder", data_dir=path, **search)
        assert (config.space, config.image_size) == ("mobile_chain", 32)
        assert config.width_multiplier == 0.5 and config.drop_path == 0
    config, _ = parsed(data, dataset="digits", flip=False, space="mobile_chain")
    assert (config.dataset, config.flip) == ("digits", False)


def test_data_of_a_program_are_evaluated_in_python(data, gpus):
    config = SearchConfig(dataset="arrays")
    line = evaluation_command(Workdir(data / "search"), config)
    assert line.startswith("in Python: darts_tf.evaluate(")
    assert json.dumps(str(data))[1:-1] in line
