"""Weighted sums (eq. 2) of the same feature maps for several edges, as a matmul.

The edges that leave a node share its pools and the node itself; each edge
wants their sum at its own mixing weights. As products of single weights and
maps these had been a half of the graph around the shared functions; for all edges
of a node they are one matmul, in which each map is a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.networks.precision import widened


def as_rows(maps: Sequence):
    """Returns feature maps [B, H, W, C] as rows [maps, B H W C], float32 or wider.

    None if there are no maps.
    """
    if not maps:
        return None
    stacked = tf.stack([widened(y) for y in maps])
    return tf.reshape(stacked, [len(maps), -1])


def as_map(row, like):
    """Returns a row as a feature map of the height, width and type of another."""
    return tf.cast(tf.reshape(row, [-1, *like.shape[1:]]), like.dtype)


def mixtures(weights, names: Sequence[Sequence[str]], maps, rows) -> list:
    """Sums the maps at each edge's mixing weights.

    Args:
      weights: mixing weights of the T edges, [T, candidates] or more columns.
      names: the names of each edge's candidates, in the order of its weights.
      maps: the maps' names; an edge without such a candidate takes nothing
        of the map.
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
    """Returns [T, maps, weights]: 1 where an edge's weight belongs to a map."""
    result = np.zeros((len(names), len(maps), weights))
    for edge, candidates in enumerate(names):
        for place, name in enumerate(candidates):
            if name in maps:
                result[edge, maps.index(name), place] = 1.0
    return result
