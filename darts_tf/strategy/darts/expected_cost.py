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


def expected_and_derived(table: CostTable, alpha, relaxation: str = "softmax"):
    """Computes (expected cost, cost of the network derived now), float64 [] each.

    The second has no gradient.

    Args:
      table: of the cost.
      alpha: for each cell of the space [edges, candidates], or one column more.
      relaxation: one of derivation.MEANS.
    """
    expected = derived = tf.constant(float(table.constant), tf.float64)
    for spec, rows in zip(table.space.cells, alpha, strict=True):
        weights = mixing_weights(spec, rows, relaxation)
        added, now = of_cell(spec, weights, table.costs[spec.name])
        expected, derived = expected + added, derived + now
    return expected, derived


def of_cell(spec: CellSpec, weights, costs: np.ndarray):
    """Computes what the edges of one kind of cell cost, expected and derived now.

    Args:
      spec: the cell.
      weights: mixing weights [edges, candidates], float64.
      costs: [edges, candidates].

    Returns:
      (expected cost, cost of the derived cell), float64 [] each.
    """
    allowed = tf.constant(derivable(spec), tf.float64)
    prices, weights = tf.constant(costs, tf.float64), weights * allowed
    total = tf.reduce_sum(weights, -1, keepdims=True)
    mean = tf.reduce_sum(weights / tf.maximum(total, TINY) * prices, -1)
    ranked = weights - (1 - allowed)  # zero is behind all others
    best = tf.gather(prices, tf.argmax(ranked, -1), batch_dims=1)
    strengths = tf.reduce_max(weights, -1)
    expected, derived = [], []
    for rows in rows_by_node(spec):
        first, end = rows[0], rows[-1] + 1  # a node's edges follow each other
        kept, soft = _kept(strengths[first:end], spec.predecessors)
        straight = kept + soft - tf.stop_gradient(soft)
        expected.append(tf.reduce_sum(straight * mean[first:end]))
        derived.append(tf.reduce_sum(kept * best[first:end]))
    return tf.add_n(expected), tf.add_n(derived)


def _kept(strengths, count: int | None):
    """Computes which edges of a node are kept: (1 or 0, probabilities), [edges] each.

    Args:
      strengths: [edges].
      count: k, how many are kept; None for all.
    """
    edges = strengths.shape[0]
    if count is None or count >= edges:
        return (tf.ones_like(strengths),) * 2
    earlier = tf.constant(np.tri(edges, k=-1, dtype=bool))  # [edge, other]
    ahead = strengths > strengths[:, tf.newaxis]
    ahead |= (strengths == strengths[:, tf.newaxis]) & earlier
    places = tf.reduce_sum(tf.cast(ahead, tf.float64), -1)
    return tf.cast(places < count, tf.float64), inclusion(strengths, count)


def inclusion(strengths, count: int):
    """Computes each edge's probability of being among the kept ones, [edges].

    A set of `count` edges has a probability proportional to the product of
    their strengths (conditional Poisson sampling).

    Args:
      strengths: [edges], at least 0.
      count: how many edges are kept.
    """
    edges = strengths.shape[0]
    sets = list(itertools.combinations(range(edges), count))
    members = np.zeros([len(sets), edges])
    for index, chosen in enumerate(sets):
        members[index, list(chosen)] = 1
    members = tf.constant(members, strengths.dtype)
    logarithms = tf.math.log(tf.maximum(strengths, TINY))
    probabilities = tf.nn.softmax(tf.linalg.matvec(members, logarithms))
    return tf.linalg.matvec(members, probabilities, transpose_a=True)
