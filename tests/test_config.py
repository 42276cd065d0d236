"""Types, bounds and names of settings."""

from __future__ import annotations

import copy
import dataclasses
import pathlib
import pickle

import numpy as np
import pytest

from darts_tf import config as configs
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.errors import InputError

KINDS = [
    configs.SearchConfig,
    configs.TrainingConfig,
    configs.DerivationConfig,
    configs.ExportConfig,
    configs.ExperimentConfig,
    configs.ComparisonConfig,
    configs.PipelineConfig,
]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"channels": 0}, "`channels=0` must be at least 1"),
        ({"channels": 2.0}, "`channels` must be an integer"),
        ({"channels": True}, "`channels` must be an integer"),
        ({"learning_rate": float("nan")}, "finite"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"learning_rate": "0.1"}, "must be a number"),
        ({"momentum": 1.5}, "`momentum=1.5` must be at most 1"),
        ({"flip": 1}, "`flip` must be of type bool"),
        ({"method": "exactly"}, "'exactly' .did you mean exact.*first_order"),
        ({"instruments": ("gap", "eigen")}, "'eigen' .did you mean eigenvalue"),
        ({"instruments": "gap"}, "must be a list"),
        ({"image_size": 0}, "`image_size=0` must be at least 1"),
        ({"data_dir": " "}, "`data_dir` is empty; give a value, or leave it out"),
        ({"epoch": 3}, "no setting 'epoch' .did you mean epochs"),
        ({"method": np.array(["exact", "gap"])}, "unknown name"),
        ({"method": "FIRST_ORDER"}, "did you mean first_order"),
        ({"stages": [3]}, "must be a list"),
        ({"dataset": None}, "`dataset` must be of type str"),
    ],
)
def test_bad_values_are_refused_in_the_words_of_arguments(given, words):
    with pytest.raises(InputError, match=words) as error:
        SearchConfig(**given)
    assert "\n" not in str(error.value) and "--" not in str(error.value)


def test_values_take_the_type_of_their_field():
    config = SearchConfig(
        learning_rate=1, instruments=["gap"], data_dir=pathlib.Path("a")
    )
    assert isinstance(config.learning_rate, float)
    assert (config.instruments, config.data_dir) == (("gap",), "a")


def test_a_config_knows_what_was_given():
    config = SearchConfig(channels=16, layers=8)
    assert config.given == {"channels", "layers"}
    assert config.replace(epochs=3).given == {"channels", "layers", "epochs"}
    filled = config.filled(epochs=3)
    assert filled.epochs == 3 and filled.given == config.given
    for same in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert same == config and same.given == config.given
    # All fields are passed: those with another value count as given.
    assert dataclasses.replace(config, epochs=3).given == {"epochs"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_help_of_sentences_and_a_default(kind):
    kind()
    for field in dataclasses.fields(kind):
        text = field.metadata["help"]
        assert text.endswith(".") and len(text.split()) > 2, field.name


def test_programs_differ_in_their_defaults():
    search, training = SearchConfig(), TrainingConfig()
    for name, values in {
        "channels": (16, 36),
        "layers": (8, 20),
        "epochs": (50, 600),
        "batch_size": (64, 96),
        "dropout_words": (0.0, 0.1),
        "valid_fraction": (0.5, 0.0),
    }.items():
        assert (getattr(search, name), getattr(training, name)) == values


def test_stored_values_are_taken_whatever_else_is_there():
    stored = {"channels": 4, "workdir": "x", "strange": 1}
    assert SearchConfig.from_stored(stored) == SearchConfig(channels=4)
