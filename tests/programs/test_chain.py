"""A chain from the search to a trained network, from Python."""

from __future__ import annotations

import json

import pytest

import darts_tf as dt
from tests.strategy.small_chain import small_chain

assert small_chain  # a fixture
IMAGES = {"crop_padding": 1, "flip": False, "examples": 64, "batch_size": 16}


@pytest.mark.slow
def test_a_chain_goes_through_all_programs(small_chain, tmp_path):
    name, data = small_chain.name, dt.data.load("digits")
    config = dt.SearchConfig(
        **IMAGES,
        space=name,
        method="first_order",
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
    assert outcome.genotype == dt.derive(tmp_path / "search")
    assert (tmp_path / "search" / "genotype.svg").read_text().count("small_chain")
    written = (tmp_path / "search" / "genotype.json").read_text()
    assert [len(stage) for stage in json.loads(written)["stages"]] == [2, 2]
    training = dt.TrainingConfig(
        **IMAGES, epochs=1, drop_path=0.1, width_multiplier=2.0, valid_fraction=0.3
    )
    trained = dt.evaluate(outcome.genotype, data, training, tmp_path / "evaluate")
    cost = outcome.result["cost"]["multiply_adds"]["derived"]
    assert trained.result["multiply_adds"] == cost
