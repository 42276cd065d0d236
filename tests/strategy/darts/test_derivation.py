from __future__ import annotations

import json
import pathlib

import numpy as np

from darts_tf.space.cell import CellSpec
from darts_tf.space.conv import SPACE
from darts_tf.strategy.darts.derivation import (
    derive,
    derive_cell,
    edge_weights,
    softmax,
)

GOLDENS = pathlib.Path(__file__).parents[2] / "goldens"
NAMES = ("none", "skip_connect", "sep_conv_3x3")
CELL = CellSpec("tiny", 2, 2, (NAMES,) * 5, 2, (2, 3))


def kept(*rows, spec=CELL):
    """The edges derived from mixing weights."""
    return derive_cell(spec, np.array(rows)).edges


def test_strongest_predecessors_first():
    assert kept(
        [0.0, 0.3, 0.7],
        [0.0, 0.8, 0.2],  # node 2: 1 before 0
        [0.0, 0.4, 0.6],
        [0.0, 0.5, 0.5],
        [0.0, 0.1, 0.9],  # 2, 0; not 1
    ) == (
        ("skip_connect", 1),
        ("sep_conv_3x3", 0),
        ("sep_conv_3x3", 2),
        ("sep_conv_3x3", 0),
    )


def test_zero_is_neither_chosen_nor_counted():
    strong_zero, weak = [0.98, 0.005, 0.015], [0.2, 0.5, 0.3]
    edges = kept(strong_zero, strong_zero, strong_zero, weak, weak)
    assert [name for name, _ in edges[:2]] == ["sep_conv_3x3"] * 2
    assert edges[2:] == (("skip_connect", 1), ("skip_connect", 2))


def test_one_predecessor_is_kept_once():
    """Its two operations are the two strongest of all."""
    edges = kept(
        [0, 0.1, 0.2],
        [0, 0.1, 0.2],
        [0.0, 0.5, 0.5],
        [0.8, 0.1, 0.1],
        [0.7, 0.1, 0.2],
    )
    assert edges[2:] == (("skip_connect", 0), ("sep_conv_3x3", 2))


def test_equals_keep_the_earlier():
    same = [0.4, 0.3, 0.3]
    assert kept(*[same] * 5) == (("skip_connect", 0), ("skip_connect", 1)) * 2


def test_ranks_by_softmax_not_by_alpha():
    """Node 3: edge (0, 3) has the largest alpha, and a larger zero."""
    normal, reduce = (np.zeros(spec.alpha_shape) for spec in SPACE.cells)
    normal[2, [0, 4]] = 9, 5
    normal[3, 4], normal[4, 4] = 4, 2
    edges = derive(SPACE, [normal, reduce]).cells["normal"].edges
    assert edges[2:4] == (("sep_conv_3x3", 1), ("sep_conv_3x3", 2))


def test_each_edge_has_candidates_of_its_own():
    """The zero operation stands in another column on the second node."""
    names = (("skip_connect", "none", "sep_conv_3x3"),) * 2
    later = (("none", "max_pool_3x3", "dil_conv_3x3"),) * 3
    spec = CellSpec("tiny", 2, 2, names + later, 2, (2, 3))
    edges = kept(
        [0.1, 0.8, 0.1],
        [0.6, 0.4, 0.0],
        [0.0, 0.9, 0.1],
        [0.9, 0.0, 0.1],
        [0.5, 0.3, 0.2],
        spec=spec,
    )
    assert edges == (
        ("skip_connect", 1),
        ("skip_connect", 0),
        ("max_pool_3x3", 0),
        ("max_pool_3x3", 2),
    )


def by_hand(spec, rows) -> tuple:
    """genotype() of Xu et al.'s code, edge by edge."""
    gene, first = [], 0
    for entering in range(2, 2 + spec.nodes):
        some = rows[first : first + entering].astype(float)
        first += entering
        p = np.exp(some[:, :-1]) / np.exp(some[:, :-1]).sum(1)[:, None]
        share = np.exp(some[:, -1]) / np.exp(some[:, -1]).sum()
        p = (p * share[:, None])[:, 1:]  # without zero
        for source in sorted(range(entering), key=lambda j: -max(p[j]))[:2]:
            gene.append((spec.candidates[0][1 + p[source].argmax()], source))
    return tuple(gene)


def test_edges_with_weights_of_their_own_are_ranked_with_them():
    random, differ = np.random.default_rng(0), 0
    for _ in range(20):
        alpha = [random.normal(size=(14, 9)) for _ in SPACE.cells]
        found = derive(SPACE, alpha).cells
        plain = derive(SPACE, [rows[:, :-1] for rows in alpha]).cells
        for spec, rows in zip(SPACE.cells, alpha, strict=True):
            edges = found[spec.name].edges
            assert edges == by_hand(spec, rows)
            differ += edges != plain[spec.name].edges
    assert differ > 10  # beta counts


def test_the_weights_of_edges_share_the_temperature():
    (spec, _), beta = SPACE.cells, np.arange(14.0)
    found = edge_weights(spec, beta, temperature=0.5)
    for rows in (range(2), range(2, 5), range(5, 9), range(9, 14)):
        powers = np.exp(2 * (beta[rows] - beta[rows[-1]]))
        np.testing.assert_allclose(found[rows], powers / powers.sum())


def test_softmax_of_large_alpha():
    weights = softmax([[1e4, 0.0], [-1e4, -1e4]])
    np.testing.assert_allclose(weights, [[1, 0], [0.5, 0.5]])


def test_order_of_edges_as_the_authors():
    for case in json.loads((GOLDENS / "derive_conv.json").read_text()):
        alpha = [case["alpha_normal"], case["alpha_reduce"]]
        cells = derive(SPACE, alpha).cells
        for name in ("normal", "reduce"):
            assert [list(e) for e in cells[name].edges] == case[name]
            assert cells[name].concat == (2, 3, 4, 5)


def test_alpha_is_left_as_it_was():
    alpha = [np.zeros(spec.alpha_shape) for spec in SPACE.cells]
    derive(SPACE, alpha)
    assert all((rows == 0).all() for rows in alpha)
