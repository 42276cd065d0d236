"""Counted costs of all spaces, and a search with targets."""

from __future__ import annotations

import functools
import json
import math
import pathlib
import re
import types

import keras
import numpy as np
import pytest

from darts_tf.config import DerivationConfig, SearchConfig
from darts_tf.config_rules import settle
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError
from darts_tf.networks.build import build_network
from darts_tf.networks.footprint import latency_table
from darts_tf.networks.footprint.counts import (
    activation_memory,
    multiply_adds,
    parameters,
)
from darts_tf.networks.operation_registry import (
    register_operation,
    unregister_operation,
)
from darts_tf.programs import derive, derived_costs, search_costs
from darts_tf.run.loop.metrics import read_metrics
from darts_tf.run.workdir import Workdir
from darts_tf.space import registry
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import any_genotype
from darts_tf.space.registry import cell_space, space_by_name
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.darts.discretisation import genotype_weights
from darts_tf.strategy.darts.expected_cost import expected_and_derived
from darts_tf.strategy.darts.staged_search import restricted
from darts_tf.strategy.darts.within_targets import CostTargets
from tests.strategy.small_chain import small_chain

assert small_chain  # a fixture

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens" / "param_counts.json"
SHAPE = (9, 9, 3)  # odd, so that strides round up
NAMES = ("multiply_adds", "parameters", "activation_memory")


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
    assert tables[2].of(genotype) == activation_memory(model, shape)
    for table in tables:
        least, most = table.bounds()
        assert least <= table.of(genotype) <= most


@pytest.mark.slow
@pytest.mark.parametrize("name", ["darts_conv", "s2", "s4", "nasbench201"])
def test_tables_give_what_a_built_network_counts(name):
    assert_counted_exactly(name)


@pytest.mark.slow
def test_chains_are_counted(small_chain):
    build = functools.partial(build_network, num_classes=5, image_shape=SHAPE)
    tables = search_costs.count(small_chain, build, SHAPE, NAMES)
    for seed in range(2):
        genotype = random_genotype(small_chain, seed)
        model, weights = build(genotype), genotype_weights(small_chain, genotype)
        alpha = [60 * (2 * weights[spec.name] - 1) for spec in small_chain.cells]
        for table, counted in zip(
            tables, (multiply_adds(model, SHAPE), parameters(model))
        ):
            assert table.of(genotype) == counted
            (expected,), (derived,) = expected_and_derived([table], alpha)
            assert int(expected) == counted == int(derived)


def test_a_later_stage_has_the_costs_of_its_candidates():
    space, columns = space_by_name("nasbench201"), [0, 2, 4]
    stage = restricted(space, [np.tile(columns, (6, 1))])
    config = settle(SearchConfig(space=space.name, cost=("parameters",), cost_weight=0))
    config = config.replace(cost_channels=2, cost_layers=3)
    (whole,) = search_costs.tables_of(config, SHAPE, 5)
    images = types.SimpleNamespace(image_shape=SHAPE, num_classes=5)
    penalty = search_costs.penalty(config, images, Replicas("one_device"), stage)
    (table,) = penalty.costs.tables
    assert table.constant == whole.constant
    np.testing.assert_array_equal(table.costs["cell"], whole.costs["cell"][:, columns])


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
    "--cost=multiply_adds,parameters,latency",
    "--cost_channels=2",
    "--cost_layers=3",
)


def write_latency_table(path: pathlib.Path) -> None:
    """Writes a table for the searches below: a microsecond an output channel."""
    shape, space = (8, 8, 1), space_by_name("s2")
    genotype = search_costs.first_genotype(space)
    network = build_network(
        genotype, channels=2, layers=3, num_classes=10, image_shape=shape
    )
    rows = [
        latency_table.row_of(space.name, part, part.output_channels, 0.1, {})
        for part in network.parts().distinct()
    ]
    path.write_text(latency_table.as_csv(rows))


def test_a_search_reports_its_costs(programs, tmp_path):
    csv = tmp_path / "table.csv"
    write_latency_table(csv)
    tmp_path /= "run"
    given = (
        *programs.search,
        "--space=s2",
        *COSTS,
        f"--workdir={tmp_path}",
        f"--latency_table={csv}",
    )
    output = programs.run("search", *given, "--cost_target=1k,1M,1ms", code=2)
    (line,) = [x for x in output.splitlines() if x.startswith("error: ")]
    least, most = re.search(r"have ([\d,]+) to ([\d,]+) multiply-adds", line).groups()
    assert "--cost_target=1k" in line and "Traceback" not in output
    assert not (tmp_path / "checkpoints").exists()
    least, most = (int(number.replace(",", "")) for number in (least, most))
    target = (least + most) // 2
    output = programs.run("search", *given, f"--cost_target={target},3.3k,150us")
    assert "cost: derived networks of 2 channels and 3 cells have" in output
    records = read_metrics(tmp_path / "metrics.jsonl")
    epochs = [record for record in records if record["kind"] == "epoch"]
    result = json.loads((tmp_path / "result.json").read_text())
    assert_listed_within(tmp_path, result)
    result = result["cost"]
    for name in result:
        for what in ("expected", "derived", "multiplier"):
            assert all(math.isfinite(r[f"cost/{name}/{what}"]) for r in epochs)
        strongest = result[name].get("strongest", result[name]["derived"])
        assert strongest == epochs[-1][f"cost/{name}/derived"]
    assert result["multiply_adds"]["target"] == target
    assert result["multiply_adds"]["cheapest"] == least
    assert result["multiply_adds"]["dearest"] == most
    assert re.search(r"multiply-adds +[\d,]+, (within|ABOVE) the target of", output)
    assert [*result] == ["multiply_adds", "parameters", "latency"]
    assert re.search(r"ms \(predicted\) +0\.\d+, (within|ABOVE) .* 0\.15ms", output)
    assert result["latency"]["target"] == pytest.approx(0.15)
    copy = tmp_path / "latency.csv"
    assert copy.read_text() == csv.read_text()
    csv.write_text(csv.read_text().replace(",2.000,", ",3.000,"))
    config = SearchConfig(cost=("latency",), latency_table=str(csv))
    with pytest.raises(InputError, match=f"`latency_table={copy}`"):
        search_costs.keep_latency_table(config, Workdir(tmp_path))
    derivation_says_costs(tmp_path, copy, result)


def test_costs_are_said_with_a_unit():
    known = {300e6: "300M", 4.715e6: "4.715M", 12.0: "12"}
    assert {value: derived_costs.short(value) for value in known} == known
    known = {8.0: "8ms", 0.3: "0.3ms", 10_000.0: "10s"}
    assert {ms: derived_costs.short(ms, "latency") for ms in known} == known


def assert_listed_within(run: pathlib.Path, result: dict) -> None:
    """Checks that the likely genotypes are within the targets if any is."""
    tables = derived_costs.read(run, space_by_name("s2"))
    most = [result["cost"][table.name]["target"] for table in tables]
    targets = CostTargets(tables, tuple(most))
    listed = json.loads((run / "likely.json").read_text())
    genotypes = [Genotype.from_json(json.dumps(genotype)) for genotype in listed]
    assert all(map(targets.within, genotypes)) == result["likely_within_targets"]


def derivation_says_costs(run: pathlib.Path, table: pathlib.Path, costs: dict) -> None:
    """Derives a search whose costs are known, by its own tables and by another."""
    row = costs["multiply_adds"]
    verdict = "within" if row["derived"] <= row["target"] else "ABOVE"
    text = derive.run(DerivationConfig(), run)
    assert re.search(rf"multiply-adds +{row['derived']:,}, {verdict} the", text)
    settings = DerivationConfig(latency_table=str(table))
    own, other = re.findall(r"predicted\) +([\d.]+)(.*)", derive.run(settings, run))
    assert own[0] == other[0] == f"{costs['latency']['derived']:.3f}"
    assert "the target of 0.15ms" in own[1] and f"by {table}" in other[1]
    with pytest.raises(InputError, match="lacks .* rows that networks of this size"):
        derive.run(settings.replace(channels=3), run)
    alone = DerivationConfig(
        space="s2", random=0, latency_table=str(table), channels=2, layers=3
    )
    assert "ms (predicted)" in derive.run(alone, run / "random")
    (run / "costs.json").write_text('{"latency": {"constant": 1, "costs": {}}}')
    with pytest.raises(InputError, match="costs.json cannot be read"):
        derive.run(DerivationConfig(), run)
    (run / "costs.json").unlink()  # a search of an earlier version
    assert "predicted" not in derive.run(DerivationConfig(), run)
