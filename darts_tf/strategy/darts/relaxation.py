"""The continuous relaxation (DARTS sect. 2.2, eq. 2).

alpha lives outside of the network: one array [edges, candidates] for each
kind of cell. The network takes mixing weights, one tensor for each of its
cells, so that a gradient for each cell exists.

With edge normalisation (PC-DARTS; Xu et al., ICLR 2020, sect. 3.3) every edge
has a second parameter beta, the last column of alpha: the weight of an edge is
the softmax of beta over the edges that enter its node, and multiplies all that
the edge gives.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.networks.implementation import functional_call
from darts_tf.space.cell import CellSpec, SearchSpace

INITIAL_SCALE = 1e-3
"""The standard deviation of alpha's start, as in the papers' code."""


def initial_alpha(
    space: SearchSpace, seed: int, edge_normalisation: bool = False
) -> list[np.ndarray]:
    """Draws a float32 array [edges, candidates] for each cell of the space.

    With edge normalisation [edges, candidates + 1].
    """
    generator = np.random.default_rng(seed)
    beta = [0, int(edge_normalisation)]
    shapes = [np.add(spec.alpha_shape, beta) for spec in space.cells]
    draws = [INITIAL_SCALE * generator.standard_normal(shape) for shape in shapes]
    return [draw.astype(np.float32) for draw in draws]


def mixing_weights(alpha):
    """Computes the softmax over each edge's candidates (eq. 2), shaped like alpha."""
    return [tf.nn.softmax(rows, axis=-1) for rows in alpha]


def edge_weights(spec: CellSpec, beta):
    """Computes the softmax of beta over the edges that enter each node, [edges]."""
    counts = [len(spec.incoming(target)) for target in spec.targets]
    return tf.concat([tf.nn.softmax(b) for b in tf.split(beta, counts)], 0)


def network_weights(spec: CellSpec, rows, relaxed: bool = False):
    """Computes the mixing weights of a kind of cell, of the shape of `rows`.

    With beta each is multiplied by its edge's weight, which also is the last column.

    Args:
      spec: the cell.
      rows: its alpha [edges, candidates], or [edges, candidates + 1] with
        beta as the last column.
      relaxed: whether they hold mixing weights in the place of alpha
        (strategy/darts/other_relaxations.py).
    """
    alpha, beta = spec.parted(rows)
    weights = alpha if relaxed else mixing_weights([alpha])[0]
    if beta is None:
        return weights
    whole = edge_weights(spec, beta)[:, tf.newaxis]
    return tf.concat([whole * weights, whole], axis=1)


def cells_of(alpha, space: SearchSpace, kinds, relaxed: bool = False) -> list:
    """Computes `network_weights` for each of the network's cells; see `per_cell`."""
    pairs = zip(space.cells, alpha, strict=True)
    tables = [network_weights(spec, rows, relaxed) for spec, rows in pairs]
    return per_cell(tables, space, kinds)


def per_cell(values, space: SearchSpace, kinds) -> list:
    """Returns a separate tensor for each cell of the network.

    Args:
      values: one tensor for each cell of the space, in order.
      space: names the kinds.
      kinds: the kind of each of the network's cells, in order.
    """
    by_kind = dict(zip([s.name for s in space.cells], values, strict=True))
    return [tf.identity(by_kind[kind]) for kind in kinds]


def cells_loss(model):
    """Makes loss(w, cells, batch, seed) of a supernet: mean cross-entropy.

    `cells` are mixing weights, one tensor for each cell of the network. Pure:
    the batch's statistics, which the pass would leave in the model's batch norms,
    are in aux["statistics"] (those of model.non_trainable_variables as one vector,
    [N]), beside aux["logits"] [B, classes].
    """
    labels_loss = tf.nn.sparse_softmax_cross_entropy_with_logits

    def loss(w, cells, batch, seed):
        images, labels = batch
        logits, statistics = functional_call(
            model, w, images, cells, seed=seed, training=True
        )
        value = tf.reduce_mean(labels_loss(labels, logits))
        return value, {"logits": logits, "statistics": statistics}

    return loss


def supernet_loss(model, relaxed: bool = False):
    """Makes loss(w, alpha, batch, seed): `cells_loss` at softmax(alpha).

    If `relaxed`, it takes mixing weights in the place of alpha.
    """
    of_cells = cells_loss(model)

    def loss(w, alpha, batch, seed):
        cells = cells_of(alpha, model.space, model.kinds, relaxed)
        return of_cells(w, cells, batch, seed)

    return loss
