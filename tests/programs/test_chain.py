"""A chain from the search to a trained network, from Python."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

import darts_tf as dt
from darts_tf.strategy.darts import relaxation
from tests.scripts import check_says
from tests.strategy.small_chain import small_chain

assert small_chain  # a fixture
IMAGES = {"crop_padding": 1, "flip": False, "examples": 64, "batch_size": 16}


@pytest.mark.slow
def test_a_chain_goes_through_all_programs(small_chain, tmp_path):
    name, data = small_chain.name, dt.data.load("digits")
    config = dt.SearchConfig(
        **IMAGES,
        space=name,
        method="finite_difference",
        precision="mixed_bfloat16",
        epochs=1,
        width_multiplier=2.0,
        cost=("multiply_adds",),
        cost_weight=0.1,
    )
    outcome = dt.search(data, config, tmp_path / "search")
    assert {n: a.shape for n, a in outcome.alpha.items()} == {
        "first": (2, 6),
        "later": (2, 7),
    }
    start = relaxation.initial_alpha(small_chain, config.seed)
    for rows, before in zip(outcome.alpha.values(), start, strict=True):
        assert (rows != before).all() and np.isfinite(rows).all()
    assert outcome.genotype == dt.derive(tmp_path / "search")
    assert (tmp_path / "search" / "genotype.svg").read_text().count("small_chain")
    written = (tmp_path / "search" / "genotype.json").read_text()
    assert [len(stage) for stage in json.loads(written)["stages"]] == [2, 2]
    training = dt.TrainingConfig(
        **IMAGES,
        epochs=1,
        drop_path=0.1,
        width_multiplier=2.0,
        valid_fraction=0.3,
        jit="on",
    )
    trained = dt.evaluate(outcome.genotype, data, training, tmp_path / "evaluate")
    cost = outcome.result["cost"]["multiply_adds"]["derived"]
    assert trained.result["multiply_adds"] == cost
    if importlib.util.find_spec("tf2onnx"):
        folder = dt.export(tmp_path / "evaluate", "onnx", data=data)
        written = json.loads((folder / "export.json").read_text())
        assert written["accuracy"]["before"] == written["accuracy"]["after"]


TWO_REPLICAS = """
import numpy as np
import darts_tf as dt
from darts_tf.space import registry
from darts_tf.space.chain import Stage, chain_space
space = chain_space("two_layers", (Stage(8, 2, 2),), stem=8, block=8, head=16)
registry.SPACES[space.name] = space
config = dt.SearchConfig(
    space=space.name, method="first_order", epochs=1, examples=32, batch_size=8,
    crop_padding=0, flip=False, cost=("multiply_adds",), cost_target="40k",
    distribute="mirrored")
outcome = dt.search(dt.data.load("digits"), config, "FOLDER")
assert all(np.isfinite(rows).all() for rows in outcome.alpha.values())
print("searched on", outcome.result["devices"])
"""


@pytest.mark.slow
def test_a_chain_is_searched_on_two_devices(tmp_path):
    script = TWO_REPLICAS.replace("FOLDER", str(tmp_path))
    check_says(script, "searched on 2", devices=2)
