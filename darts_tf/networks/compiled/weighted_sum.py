"""What several edges make of the same feature maps (eq. 2).

The edges that leave a node share its pools and the node itself; each edge
wants their sum at its own mixing weights. As products of single weights and
maps these had been a half of the graph around the shared traces; for all edges
of a node they are one product of matrices, of maps that are rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.networks.precision import widened


def as_rows(maps: Sequence):
    """Feature maps [B, H, W, C] as rows [maps, B H W C], float32 or wider.

    None where there are no maps.
    """
    if not maps:
        return None
    stacked = tf.stack([widened(y) for y in maps])
    return tf.reshape(stacked, [len(maps), -1])


def as_map(row, like):
    """A row as a feature map of the height, width and type of another."""
    return tf.cast(tf.reshape(row, [-1, *like.shape[1:]]), like.dtype)


def mixtures(weights, names: Sequence[Sequence[str]], maps, rows) -> list:
    """The sum of the maps at each edge's mixing weights.

    Args:
      weights: mixing weights of the T edges, [T, candidates] or more columns.
      names: of each edge's candidates, in the order of its weights.
      maps: their names; an edge that has no such candidate takes nothing of
        it.
      rows: the maps as rows, [maps, N], or None where there are none.

    Returns:
      T rows [N], or T times None.
    """
    if rows is None:
        return [None] * len(names)
    places = _places(names, list(maps), weights.shape[1])
    if (places == places[0]).all():
        columns = tf.constant(places[0].T, weights.dtype)
        chosen = tf.matmul(weights, columns)
    else:
        chosen = tf.linalg.matvec(tf.constant(places, weights.dtype), weights)
    return tf.unstack(tf.matmul(chosen, rows))


def _places(names, maps, weights: int) -> np.ndarray:
    """1 where an edge's weight is that of a map: [T, maps, weights]."""
    found = np.zeros((len(names), len(maps), weights))
    for edge, candidates in enumerate(names):
        for place, name in enumerate(candidates):
            if name in maps:
                found[edge, maps.index(name), place] = 1.0
    return found
