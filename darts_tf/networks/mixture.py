"""What several edges make of the same feature maps (eq. 2).

The edges that leave a node share its pools and the node itself; each edge
wants their sum at its own mixing weights. As products of single weights and
maps these had been a half of the graph around the shared traces; for all edges
of a node they are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from darts_tf.networks.precision import widened


def mixtures(weights, names: Sequence[Sequence[str]], maps: dict) -> list:
    """The sum of the maps at each edge's mixing weights.

    Args:
      weights: mixing weights of the T edges, [T, candidates] or more columns.
      names: of each edge's candidates, in the order of its weights.
      maps: [B, H, W, C] by the name of a candidate; an edge that has no such
        candidate takes nothing of it.

    Returns:
      T maps [B, H, W, C], computed and summed in float32 or wider; none where
      there are no maps.
    """
    if not maps:
        return []
    wide = [widened(y) for y in maps.values()]
    places = _places(names, list(maps), weights.shape[1])
    chosen = tf.linalg.matvec(tf.constant(places, weights.dtype), weights)
    flat = tf.reshape(tf.stack(wide), [len(wide), -1])
    shape = [len(names), -1, *wide[0].shape[1:]]
    return tf.unstack(tf.reshape(tf.matmul(chosen, flat), shape))


def _places(names, maps, weights: int) -> np.ndarray:
    """1 where an edge's weight is that of a map: [T, maps, weights]."""
    found = np.zeros((len(names), len(maps), weights))
    for edge, candidates in enumerate(names):
        for place, name in enumerate(candidates):
            if name in maps:
                found[edge, maps.index(name), place] = 1.0
    return found
