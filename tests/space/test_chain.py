"""Chains as data: sizes, genotypes, decisions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from darts_tf.errors import InputError
from darts_tf.space.cell import IDENTITY
from darts_tf.space.chain import BLOCKS, FIRST, LATER, PROXYLESS, SPACE
from darts_tf.space.decisions import canonical, decide, decided, decisions
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import CHAINS, any_genotype, load_genotype
from darts_tf.space.registry import cell_space
from darts_tf.strategy.black_box.mutation import mutated
from darts_tf.strategy.black_box.random_choice import random_genotype
from darts_tf.strategy.darts import derivation

MOBILENET = CHAINS["mobile_chain"]["MobileNetV2"]


def test_blocks_are_kernels_times_expansions():
    assert set(BLOCKS.values()) == {(k, e) for k in (3, 5, 7) for e in (3, 6)}
    assert BLOCKS["mb_conv_5x5_e3"] == (5, 3)


@pytest.mark.parametrize(
    "size, strides",
    [
        (224, (2, 2, 2, 2, 1, 2, 1)),
        (65, (2, 2, 2, 2, 1, 2, 1)),
        (64, (1, 2, 2, 2, 1, 2, 1)),
        (32, (1, 1, 2, 2, 1, 2, 1)),
        (8, (1, 1, 1, 1, 1, 2, 1)),
        (3, (1, 1, 1, 1, 1, 1, 1)),
    ],
)
def test_strides_become_one_from_the_front(size, strides):
    assert SPACE.strides(size) == strides
    assert -(-size // math.prod(strides)) >= 3


def test_images_that_leave_no_pixel_are_refused():
    with pytest.raises(InputError, match="2 pixels a side leave no pixel.*at least 3"):
        SPACE.strides(2)


def test_widths_are_multiples_of_eight_and_not_below_90_percent():
    layers = SPACE.layers(1.0, 224)
    assert [x.channels for x in layers] == 4 * [24] + 4 * [32] + 4 * [64] + 4 * [
        96
    ] + 4 * [160] + [320]
    assert SPACE.widths(1.0) == (32, 16, 1280)
    assert SPACE.widths(1.4) == (48, 24, 1792)  # 44.8 and 22.4
    assert SPACE.widths(0.35) == (16, 8, 1280)  # 11.2: 8 would be 71 %
    for one, other in zip(layers, layers[1:]):
        assert other.inputs == one.channels and other.number == one.number + 1
    for layer in SPACE.layers(0.5, 32):
        cell = SPACE.cell(layer.kind)
        assert cell.links[layer.row] == (layer.number - 1, layer.number)
        assert layer.kind == FIRST or layer.stride == 1


def test_only_later_layers_may_be_skipped():
    first, later = SPACE.cell(FIRST), SPACE.cell(LATER)
    assert first.alpha_shape == (6, 6) and later.alpha_shape == (15, 7)
    assert all(IDENTITY not in names for names in first.candidates)
    assert all(names[-1] == IDENTITY for names in later.candidates)


def test_json_has_a_list_for_each_stage():
    text = MOBILENET.to_json()
    assert Genotype.from_json(text) == MOBILENET
    assert text.splitlines()[2].split() == [
        '["mb_conv_3x3_e6",',
        '"mb_conv_3x3_e6",',
        '"skip_connect",',
        '"skip_connect"],',
    ]
    depths = [len(s) - s.count(IDENTITY) for s in SPACE.by_stage(MOBILENET.cells)]
    assert depths == [2, 3, 4, 3, 3, 1]


@pytest.mark.parametrize(
    "change, message",
    [
        (('"stages"', '"layers"'), "missing: stages; unknown: layers"),
        (("mb_conv_3x3_e6", IDENTITY), "layer 1 .*unknown operation 'skip_connect'"),
        (("mb_conv_3x3_e6", "mb_conv_3x3_e4"), "did you mean mb_conv_3x3_e6"),
        (("mb_conv_3x3_e6", "sep_conv_3x3"), "layer 1 .*the first layers are"),
        (('"mb_conv_3x3_e6", ', ""), "lists of 4, 4, 4, 4, 4, 1 operations"),
        (('"mb_conv_3x3_e6"', "6"), "is a name.*received 6"),
    ],
)
def test_other_stages_and_operations_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Genotype.from_json(MOBILENET.to_json().replace(*change, 1))


def test_published_chains_are_known_by_name():
    assert any_genotype("MobileNetV2") == MOBILENET
    proxyless = load_genotype("ProxylessNAS_mobile", PROXYLESS.name)
    assert PROXYLESS.by_stage(proxyless.cells)[0] == [
        "mb_conv_5x5_e3",
        "mb_conv_3x3_e3",
        IDENTITY,
        IDENTITY,
    ]
    with pytest.raises(InputError, match="published in mobile_chain_proxyless"):
        load_genotype("ProxylessNAS_mobile", SPACE.name)
    with pytest.raises(InputError, match="MobileNetV2"):
        load_genotype("MobileNetV9", SPACE.name)


def test_strategies_decide_on_each_layer_once():
    genotype = random_genotype(SPACE, 0)
    assert canonical(genotype) == genotype
    choices = decided(genotype)
    assert len(choices) == len(decisions(SPACE.name)) == 21
    assert decide(SPACE, lambda decision: choices[decision.name]) == genotype
    child = mutated(genotype, np.random.default_rng(0))
    pairs = zip(SPACE.by_stage(genotype.cells), SPACE.by_stage(child.cells))
    assert sum(a != b for stages in pairs for a, b in zip(*stages)) == 1


def test_each_layer_gets_its_strongest_candidate():
    random = np.random.default_rng(1)
    alpha = [random.normal(size=spec.alpha_shape) for spec in SPACE.cells]
    stages = SPACE.by_stage(derivation.derive(SPACE, alpha).cells)
    names = [name for stage in stages for name in stage]
    for spec, rows in zip(SPACE.cells, alpha):
        for (_, layer), row, candidates in zip(spec.links, rows, spec.candidates):
            assert names[layer - 1] == candidates[row.argmax()]


def test_blocks_of_chains_are_no_operations_of_cells():
    with pytest.raises(InputError, match="mb_conv_3x3_e3 are operations of .*chains"):
        cell_space("wrong", nodes=2, operations=["mb_conv_3x3_e3", "skip_connect"])
