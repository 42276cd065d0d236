"""The expected cost of the derived network, as a function of mixing weights alone.

It needs no pass over images. The derivation (strategy/darts/derivation.py)
keeps k edges of each node, and one candidate on each of them:

- The candidate of an edge is taken at random, with its mixing weight as the
  probability, among those that may be derived: the expected cost of
  ProxylessNAS (Cai et al., ICLR 2019, sect. 3.3) and FBNet (Wu et al., CVPR
  2019, eq. 5).
- The edges are those that the rule keeps now. The gradient is that of a soft
  choice (a straight-through estimator; Bengio et al. 2013): each set of k edges
  has a probability proportional to the product of its edges' strengths, the
  mixing weights of their strongest candidates, and an edge counts with the
  probability of being in the set. Where a node has k edges it is zero.

At one-hot mixing weights the expected cost is the cost of the derived network,
to the last digit. (Where an edge is kept that has all its weight on the zero
operation, the rule falls back on the order of the candidates, and the
expectation on their average.)

All is computed in float64: float32 cannot hold 500 million exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.networks.footprint.cost_table import CostTable, derivable, rows_by_node
from darts_tf.space.cell import CellSpec
from darts_tf.strategy.darts.other_relaxations import MEANS
from darts_tf.strategy.darts.relaxation import network_weights

TINY = 1e-30
"""Keeps the logarithm of an edge's strength, and a division by it, finite."""


def mixing_weights(spec: CellSpec, rows, relaxation: str = "softmax"):
    """Computes the mean mixing weights [edges, candidates] of alpha, in float64.

    Args:
      spec: the cell.
      rows: its alpha, [edges, candidates] or with edges' own weights one
        column more; each is then multiplied by its edge's weight.
      relaxation: one of derivation.MEANS.
    """
    alpha, beta = spec.parted(tf.cast(rows, tf.float64))
    means = MEANS[relaxation](alpha)
    if beta is not None:
        means = tf.concat([means, beta[:, tf.newaxis]], axis=1)
    weights = network_weights(spec, means, relaxed=True)
    return weights[:, : spec.alpha_shape[1]]


def expected_and_derived(
    tables: Sequence[CostTable], alpha, relaxation: str = "softmax"
):
    """Computes (expected costs, costs of the network derived now), float64 [costs].

    The second has no gradient.

    Args:
      tables: of the costs, of one space.
      alpha: for each cell of the space [edges, candidates], or one column more.
      relaxation: one of derivation.MEANS.
    """
    constants = np.array([float(table.constant) for table in tables])
    expected = derived = tf.constant(constants, tf.float64)
    for spec, rows in zip(tables[0].space.cells, alpha, strict=True):
        weights = mixing_weights(spec, rows, relaxation)
        prices = np.stack([table.costs[spec.name] for table in tables])
        added, now = of_cell(spec, weights, prices)
        expected, derived = expected + added, derived + now
    return expected, derived


def of_cell(spec: CellSpec, weights, prices: np.ndarray):
    """Computes what the edges of one kind of cell cost, expected and derived now.

    One matrix product for all nodes and costs, as in each step of a search many small
    kernels would take longer than what they compute.

    Args:
      spec: the cell.
      weights: mixing weights [edges, candidates], float64.
      prices: costs of the candidates, [costs, edges, candidates].

    Returns:
      (expected cost, cost of the derived cell), float64 [costs] each.
    """
    may = derivable(spec)
    if not may.all():
        weights *= tf.constant(may, tf.float64)
    total = tf.reduce_sum(weights, -1, keepdims=True)
    shares = weights / tf.maximum(total, TINY)
    ranked = weights if may.all() else weights - tf.constant(~may, tf.float64)
    best = tf.one_hot(tf.argmax(ranked, -1), weights.shape[1], dtype=tf.float64)
    nodes, count = rows_by_node(spec), spec.predecessors
    if count is not None and any(count < len(rows) for rows in nodes):
        strengths = tf.reduce_max(weights, -1)
        kept = _kept(strengths, nodes, count)
        soft = inclusion(strengths, nodes, count)
        straight = kept + (soft - tf.stop_gradient(soft))
        shares, best = shares * straight[:, tf.newaxis], best * kept[:, tf.newaxis]
    chosen = tf.reshape(tf.stack([shares, best]), [2, -1])
    flat = tf.constant(prices.reshape(len(prices), -1), tf.float64)
    return tuple(tf.unstack(tf.matmul(chosen, flat, transpose_b=True)))


def _kept(strengths, nodes: Sequence[Sequence[int]], count: int):
    """Computes which edges are kept now, 1 or 0, [edges]; see `inclusion`."""
    edges = strengths.shape[0]
    node = np.repeat(np.arange(len(nodes)), [len(rows) for rows in nodes])
    together = node == node[:, np.newaxis]  # a node's edges follow each other
    earlier = together & np.tri(edges, k=-1, dtype=bool)  # [edge, other]
    others = strengths[:, tf.newaxis]
    ahead = ((strengths > others) & together) | ((strengths == others) & earlier)
    places = tf.reduce_sum(tf.cast(ahead, tf.float64), -1)
    return tf.cast(places < count, tf.float64)


def inclusion(strengths, nodes: Sequence[Sequence[int]], count: int):
    """Computes each edge's probability of being among the kept ones, [edges].

    Of the edges of a node, each set of `count` of them has a probability proportional
    to the product of their strengths (conditional Poisson sampling).

    Args:
      strengths: [edges], at least 0.
      nodes: for each node the numbers of its edges.
      count: how many edges of a node are kept; all, where it has no more.
    """
    sets = [
        (node, chosen)
        for node, rows in enumerate(nodes)
        for chosen in itertools.combinations(rows, min(count, len(rows)))
    ]
    members = np.zeros([len(sets), strengths.shape[0]])
    for index, (_, chosen) in enumerate(sets):
        members[index, list(chosen)] = 1
    members = tf.constant(members, strengths.dtype)
    of_node = np.array([node for node, _ in sets])
    logarithms = tf.linalg.matvec(members, tf.math.log(tf.maximum(strengths, TINY)))
    largest = tf.math.segment_max(logarithms, of_node)
    powers = tf.exp(logarithms - tf.stop_gradient(tf.gather(largest, of_node)))
    together = tf.constant(of_node == of_node[:, np.newaxis], strengths.dtype)
    probabilities = powers / tf.linalg.matvec(together, powers)
    return tf.linalg.matvec(members, probabilities, transpose_a=True)
