"""The spaces of Zela et al. 2020, spot-checked against their text."""

from __future__ import annotations

import pytest

from darts_tf.errors import InputError
from darts_tf.space import conv, robust
from darts_tf.space.genotype import Genotype
from darts_tf.space.published import LAMBDA, load_genotype
from darts_tf.space.registry import space_by_name

SIZES = {"s1": 2, "s2": 2, "s3": 3, "s4": 2, "darts_conv_nonzero": 7}


def edge(space: str, cell: str, source: int, target: int):
    spec = space_by_name(space).cell(cell)
    return spec.candidates[spec.edges.index((source, target))]


def test_all_are_the_darts_graph_with_fewer_candidates():
    assert [space.name for space in robust.SPACES] == list(SIZES)
    for space in robust.SPACES:
        for spec, darts in zip(space.cells, conv.SPACE.cells, strict=True):
            assert spec.name == darts.name and spec.edges == darts.edges
            assert spec.alpha_shape == (14, SIZES[space.name])
            assert (spec.predecessors, spec.concat) == (2, (2, 3, 4, 5))


def test_what_is_everywhere():
    for cell in ("normal", "reduce"):
        assert edge("s2", cell, 4, 5) == ("skip_connect", "sep_conv_3x3")
        assert edge("s3", cell, 0, 2) == ("none", "skip_connect", "sep_conv_3x3")
        assert edge("s4", cell, 1, 3) == ("noise", "sep_conv_3x3")
        seven = edge("darts_conv_nonzero", cell, 0, 2)
        assert seven == conv.CANDIDATES[1:] and "none" not in seven


@pytest.mark.parametrize(
    "cell, source, target, wanted",
    [
        ("normal", 0, 2, ("skip_connect", "dil_conv_3x3")),
        ("normal", 1, 3, ("skip_connect", "sep_conv_3x3")),
        ("normal", 0, 4, ("max_pool_3x3", "skip_connect")),
        ("normal", 2, 5, ("skip_connect", "dil_conv_3x3")),
        ("normal", 4, 5, ("dil_conv_3x3", "dil_conv_5x5")),
        ("reduce", 1, 2, ("max_pool_3x3", "dil_conv_3x3")),
        ("reduce", 2, 3, ("skip_connect", "dil_conv_5x5")),
        ("reduce", 1, 4, ("max_pool_3x3", "sep_conv_3x3")),
        ("reduce", 1, 5, ("max_pool_3x3", "avg_pool_3x3")),
    ],
)
def test_s1_differs_from_edge_to_edge(cell, source, target, wanted):
    assert edge("s1", cell, source, target) == wanted


@pytest.mark.parametrize(
    "space, name", [(s, n) for s, cells in LAMBDA.items() for n in cells]
)
def test_published_cells_use_what_their_edges_offer(space, name):
    """Written by others from searches in these spaces, so they check both."""
    genotype = load_genotype(name, space)
    for spec in space_by_name(space).cells:
        cell = genotype.cells[spec.name]
        for target, (operation, source) in zip(
            spec.entered(len(cell.edges)), cell.edges, strict=True
        ):
            assert operation in edge(space, spec.name, source, target)


def test_a_genotype_knows_its_space(tmp_path):
    genotype = load_genotype("LAMBDA_C10", "s2")
    path = tmp_path / "genotype.json"
    path.write_text(genotype.to_json())
    assert load_genotype(str(path), "s2") == genotype
    assert Genotype.from_json(genotype.to_json()).space == "s2"
    with pytest.raises(InputError, match="space 's2'.*darts_conv.*`space=s2`"):
        load_genotype(str(path))
    with pytest.raises(InputError, match="unknown operation 'noise'"):
        Genotype.from_json(genotype.to_json().replace("skip_connect", "noise", 1))


def test_a_space_without_published_cells_asks_for_a_file():
    with pytest.raises(InputError, match="give a JSON file or a text with"):
        load_genotype("DARTS_V9", "darts_conv_nonzero")
