"""Every flagfile parses with its program; names are those of the libraries."""

from __future__ import annotations

import dataclasses
import inspect
import pathlib
import re
import shlex

import pytest
from absl import flags

from darts_tf import config as configs
from darts_tf.cli import flags as config_flags
from darts_tf.config import names
from darts_tf.config_rules import (
    ESTIMATOR_NAMES,
    RELAXED,
    SHARING,
    STRATEGY_NAMES,
    settle,
)
from darts_tf.data.text import windows
from darts_tf.data.text.python_topics import load_python_topics
from darts_tf.descent import precision
from darts_tf.estimation import training_settings
from darts_tf.programs import estimators
from darts_tf.space.published import PUBLISHED
from darts_tf.strategy.black_box import strategies
from darts_tf.strategy.darts import bilevel, joint, search_settings
from darts_tf.strategy.diagnostics import instruments
from darts_tf.strategy.lambda_darts import regularizer

ROOT = pathlib.Path(__file__).parents[1]
FOLDERS = (ROOT / "configs", ROOT / "benchmarks" / "studies")
CONFIGS = sorted(path for folder in FOLDERS for path in folder.rglob("*.flags"))
NAMES = [str(path.relative_to(ROOT)) for path in CONFIGS]
KINDS = {
    "train.search": configs.SearchConfig,
    "train.evaluate": configs.TrainingConfig,
    "train.experiment": configs.ExperimentConfig,
}


def command(path: pathlib.Path) -> list[str]:
    """The words of its Command, which may go on over several lines."""
    words = re.search(r"^# Command:((?:.*\\\n# +)*.*)$", path.read_text(), re.M)
    text = re.sub(r"\\\n# +", " ", words.group(1))
    return shlex.split(text)


def test_there_are_configs():
    assert {"configs/digits/search.flags"} <= set(NAMES)


def test_the_package_has_the_same_flagfiles_of_the_digits():
    for packaged in (ROOT / "darts_tf" / "configs" / "digits").iterdir():
        path = ROOT / "configs" / "digits" / packaged.name
        assert path.read_bytes() == packaged.read_bytes() and not path.is_symlink()


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_opens_with_paper_command_cost_and_what_to_expect(path):
    text = path.read_text()
    assert text.startswith("# Paper:")
    comments = text.split("\n--")[0]
    for word in ("Command", "Cost", "Expected"):
        assert f"\n# {word}:" in comments
    words = command(path)
    assert words[:2] == ["python", "-m"] and words[2].startswith("train.")
    assert f"--flagfile={path.relative_to(ROOT)}" in words


def config_of(path):
    """Returns the settings that a flagfile's Command gives; run it from ROOT."""
    _, _, program, *arguments = command(path)
    values = flags.FlagValues()
    config_flags.define(KINDS[program], "Folder.", into=values)
    assert len(values([program, *arguments])) == 1
    return settle(config_flags.parsed_config(KINDS[program], values))


@pytest.mark.parametrize("path", CONFIGS, ids=NAMES)
def test_parses_with_its_program(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    config_of(path)


PUBLISHED_PATH = {"images": 3e-4 * 50 * 390, "text": 3e-3 * 50 * 106.6}
"""Rate of alpha times steps in the paper: the farthest that Adam moves a logit."""

TRAINING_IMAGES = {"digits": 1438, "cifar10": 50_000}
TRAINING_TOKENS = {"ptb": 82_430, "wikitext2": 217_646}
"""Sizes of the data: words and ends of lines of the small texts, see the docs."""

REDUCED = {
    "configs/digits/search.flags": 176,
    "configs/cifar10/small_search.flags": 372,
    "configs/topics/search.flags": None,  # Python's own text, another in each version
    "configs/ptb/small_search.flags": 225,
    "configs/wikitext2/small_search.flags": 398,
    "benchmarks/studies/nasbench201/small_first_order.flags": 1200,
    "benchmarks/studies/nasbench201/quarter_hour_first_order.flags": 6000,
    "benchmarks/studies/nasbench201/half_hour_first_order.flags": 6000,
    "benchmarks/studies/s2/small_darts.flags": 600,
    "benchmarks/studies/s4/small_darts.flags": 600,
}
"""Steps of reduced searches, whose alpha is given the published path."""


def steps_of(config, path) -> int:
    """Returns the steps of a search."""
    if config.space == "darts_recurrent":
        tokens = (
            len(load_python_topics().train)
            if config.dataset == "python_topics"
            else TRAINING_TOKENS[path.parent.name]
        )
        size = config.batch_size, config.bptt
        return config.epochs * windows.steps_per_epoch(tokens, *size)
    images = config.examples or TRAINING_IMAGES[config.dataset]
    return config.epochs * (int(images * config.train_portion) // config.batch_size)


@pytest.mark.parametrize("name", REDUCED)
def test_reduced_searches_give_alpha_the_published_path(name, monkeypatch):
    """Alpha's rate times the steps is the paper's, to a tenth, and no warm-up."""
    monkeypatch.chdir(ROOT)
    path = ROOT / name
    config = config_of(path)
    steps = steps_of(config, path)
    assert REDUCED[name] in (None, steps)
    task = "text" if config.space == "darts_recurrent" else "images"
    ratio = config.alpha_learning_rate * steps / PUBLISHED_PATH[task]
    # The toy is to show that alpha parts, and says so.
    assert 0.9 <= ratio <= (1.6 if config.dataset == "digits" else 1.1)
    assert config.warmup_epochs == 0
    assert "alpha's rate" in path.read_text().split("\n--")[0].lower()


LAMBDA_NASBENCH201 = {
    "epochs": 100,
    "batch_size": 64,
    "learning_rate": 0.025,
    "momentum": 0.9,
    "weight_decay": 3e-4,
    "alpha_learning_rate": 1e-4,
    "alpha_weight_decay": 1e-3,
}
"""github.com/dr-faustus/Lambda-DARTS: configs/nas-benchmark/algos/DARTS.config and
scripts-search/algos/DARTS-V1.sh in its folder NAS-Bench201."""


@pytest.mark.parametrize("folder", ["nasbench201", "imagenet16_120"])
def test_lambda_darts_has_the_constants_of_its_published_script(folder, monkeypatch):
    monkeypatch.chdir(ROOT)
    config = config_of(ROOT / "configs" / folder / "search_lambda.flags")
    for name, value in LAMBDA_NASBENCH201.items():
        assert getattr(config, name) == value, name


def test_every_other_small_search_says_how_far_its_alpha_goes(monkeypatch):
    """A study keeps the rate of its runs, and states it in its head."""
    monkeypatch.chdir(ROOT)
    for path in CONFIGS:
        text = path.read_text()
        rates = re.findall(r"^--alpha_learning_rate=(.*)$", text, re.M)
        published = {*map(float, rates)} <= {1e-4, 3e-4, 6e-4, 3e-3}
        assert published or "lpha's rate" in text.split("\n--")[0], path


@pytest.mark.parametrize(
    "literal, keys",
    [
        (configs.Method, bilevel.METHODS),
        (configs.Optimization, joint.SEARCHES),
        (configs.Precision, precision.PRECISIONS),
        (configs.Regularizer, {"none", *regularizer.KINDS}),
        (configs.Instrument, instruments.KINDS),
        (configs.Estimator, estimators.ESTIMATORS),
        (configs.Estimator, ESTIMATOR_NAMES),
        (
            configs.Strategy,
            {*RELAXED, SHARING, *STRATEGY_NAMES},
        ),
    ],
)
def test_each_name_has_its_function(literal, keys):
    assert set(names(literal)) == set(keys)


def test_a_strategys_names_are_its_settings_with_their_defaults():
    assert STRATEGY_NAMES.keys() == strategies.STRATEGIES.keys()
    config = configs.SearchConfig()
    for strategy, fields in STRATEGY_NAMES.items():
        constructor = strategies.STRATEGIES[strategy].__init__
        settings = {
            name: parameter.default
            for name, parameter in inspect.signature(constructor).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        assert settings == {
            name.removeprefix(f"{strategy}_"): getattr(config, name) for name in fields
        }


@pytest.mark.parametrize(
    "settings, config",
    [
        (search_settings.SearchSettings, configs.SearchConfig()),
        (training_settings.TrainingSettings, configs.TrainingConfig()),
    ],
)
def test_settings_have_the_defaults_of_the_config(settings, config):
    for field in dataclasses.fields(settings):
        if field.default is not dataclasses.MISSING:
            assert field.default == getattr(config, field.name), field.name


def test_help_names_every_published_genotype():
    text = configs.TrainingConfig.__dataclass_fields__["genotype"].metadata["help"]
    for name in {name for cells in PUBLISHED.values() for name in cells}:
        assert re.sub(r"_[1-9]$", "_0", name) in text
