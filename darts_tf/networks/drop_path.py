"""Drop path: whole samples of an edge are zero, others are rescaled.

Each sample is kept with probability 1 - p and divided by it, so that the
expectation stays (Larsson et al. 2017; DARTS sect. A.3).
"""

from __future__ import annotations

import tensorflow as tf

from darts_tf.networks.precision import wide, widened


def scales(probability, seed, edges: int, examples) -> list:
    """Draws the factor of each sample of each edge: a list of `edges` [B, 1, 1, 1].

    All are drawn at once: one by one they were a quarter of the graph of a
    training step. No gradient of the probability is wanted.

    Args:
      probability: p, a scalar tensor.
      seed: int32 [2], decides what is dropped.
      edges: how many there are.
      examples: B, of the batch.
    """
    keep = 1.0 - tf.cast(probability, tf.float32)
    drawn = tf.random.stateless_uniform([edges, examples, 1, 1, 1], seed)
    return tf.unstack(tf.stop_gradient(tf.floor(drawn + keep) / keep), edges)


def edge_arguments(cells, probability, seed, images, training: bool) -> list[dict]:
    """Returns for each cell the arguments of its edges (discrete_edges.py) in a pass.

    Args:
      cells: derived ones.
      probability, seed: see `scales`; None: no drop path.
      images: of the pass.
      training: without it they need nothing.
    """
    if not training:
        return [{}] * len(cells)
    if probability is None:
        return [{"seed": seed}] * len(cells)
    counts = [sum(unit.droppable for unit in cell.units if unit) for cell in cells]
    left = iter(scales(probability, seed, sum(counts), tf.shape(images)[0]))
    return [
        {"seed": seed, "drop_path": [next(left) for _ in range(count)]}
        for count in counts
    ]


def dropped(y, scale):
    """Scales the samples of an edge's result [B, H, W, C]."""
    scale = tf.cast(scale, wide(y.dtype))
    return tf.cast(widened(y) * scale, y.dtype)
