"""Counted costs of all spaces, and a search with targets."""

from __future__ import annotations

import functools
import json
import math
import pathlib
import re

import keras
import pytest

from darts_tf.config import SearchConfig
from darts_tf.config_rules import settle
from darts_tf.estimation.scoring import multiply_adds, parameters
from darts_tf.networks.build import build_network
from darts_tf.networks.operation_registry import (
    register_operation,
    unregister_operation,
)
from darts_tf.programs import search_costs
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.space import registry
from darts_tf.space.published import any_genotype
from darts_tf.space.registry import cell_space, space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens" / "param_counts.json"
SHAPE = (9, 9, 3)  # odd, so that strides round up
NAMES = ("multiply_adds", "parameters")


@pytest.fixture
def own():
    """A space with a registered operation whose kernel differs with the stride."""

    @register_operation("costly_conv")
    def costly(channels, stride):
        return keras.layers.Conv2D(channels, 2 + stride, stride, "same")

    space = cell_space("costly", nodes=2, operations=["costly_conv", "skip_connect"])
    yield space.name
    registry.SPACES.pop("costly")
    unregister_operation("costly_conv")


def assert_counted_exactly(name: str, network: str = "cifar", shape=SHAPE) -> None:
    space, channels = space_by_name(name), 4
    build = functools.partial(
        build_network,
        channels=channels,
        layers=3,
        num_classes=5,
        image_shape=shape,
        network=network,
    )
    tables = search_costs.count(space, build, shape, NAMES)
    assert [table.name for table in tables] == list(NAMES)
    genotype = random_genotype(space, 1)
    model = build(genotype)
    assert tables[0].of(genotype) == multiply_adds(model, shape)
    assert tables[1].of(genotype) == parameters(model)
    for table in tables:
        least, most = table.bounds()
        assert least <= table.of(genotype) <= most


@pytest.mark.slow
@pytest.mark.parametrize("name", ["darts_conv", "s2", "s4", "nasbench201"])
def test_tables_give_what_a_built_network_counts(name):
    assert_counted_exactly(name)


@pytest.mark.slow
def test_registered_operations_are_counted(own):
    assert_counted_exactly(own)


@pytest.mark.slow
def test_the_mobile_network_is_counted():
    assert_counted_exactly("s3", "mobile", (32, 32, 3))


@pytest.mark.slow
def test_published_cells_cost_what_the_papers_code_counts():
    config = settle(SearchConfig(cost=("parameters",), cost_weight=0.0))
    (table,) = search_costs.tables_of(config, (32, 32, 3), 10)
    goldens = json.loads(GOLDENS.read_text())
    for name in ("DARTS_V1", "DARTS_V2"):
        genotype = any_genotype(name, "darts_conv")
        assert table.of(genotype) == goldens[f"{name}/cifar10/C36/L20/aux0"]


COSTS = (
    "--cost=multiply_adds,parameters",
    "--cost_channels=2",
    "--cost_layers=3",
)


def test_a_search_reports_its_costs(programs, tmp_path):
    given = (*programs.search, *COSTS, f"--workdir={tmp_path}")
    output = programs.run("search", *given, "--cost_target=1k,1M", code=2)
    (line,) = [x for x in output.splitlines() if x.startswith("error: ")]
    least, most = re.search(r"have ([\d,]+) to ([\d,]+) multiply-adds", line).groups()
    assert "--cost_target=1k" in line and "Traceback" not in output
    assert not (tmp_path / "checkpoints").exists()
    least, most = (int(number.replace(",", "")) for number in (least, most))
    target = (least + most) // 2
    output = programs.run("search", *given, f"--cost_target={target},1.5k")
    assert "cost: derived networks of 2 channels and 3 cells have" in output
    records = read_metrics(tmp_path / "metrics.jsonl")
    epochs = [record for record in records if record["kind"] == "epoch"]
    result = json.loads((tmp_path / "result.json").read_text())["cost"]
    for name in NAMES:
        for what in ("expected", "derived", "multiplier"):
            assert all(math.isfinite(r[f"cost/{name}/{what}"]) for r in epochs)
        assert result[name]["derived"] == epochs[-1][f"cost/{name}/derived"]
    assert result["multiply_adds"]["target"] == target
    assert result["multiply_adds"]["cheapest"] == least
    assert result["multiply_adds"]["dearest"] == most
    assert re.search(r"multiply-adds +[\d,]+, (within|ABOVE) the target of", output)
