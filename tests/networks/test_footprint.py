"""Sizes that are computed, against those of the networks' graphs."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks import conv, footprint, nasbench201
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import CANDIDATES
from darts_tf.space.registry import space_by_name
from darts_tf.strategy import bilevel, relaxation

EVERY = SearchSpace(
    name="darts_conv",
    cells=tuple(
        CellSpec(name, 2, 2, ((*CANDIDATES, "noise"),) * 5, 2, (2, 3))
        for name in ("normal", "reduce")
    ),
    operations=CANDIDATES,
)
"""Every candidate, on few edges."""

NO_VALUES = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike"}
"""What reads a tensor's shape only."""


def kept(model, space, shape) -> int:
    """Elements for one image that the backward pass of a graph reads.

    Feature maps that operations of the forward pass give and operations of
    the backward pass take, each once.
    """
    alpha = [tf.zeros(spec.alpha_shape) for spec in space.cells]
    model(tf.zeros((1, *shape)), relaxation.per_cell(alpha, space, model.kinds))
    for cell in model.cells:
        for unit in cell.units:
            unit.traces = None  # so that it is one graph
    pure, ends = relaxation.supernet_loss(model), []

    def loss(*given):
        result = pure(*given)
        graph = tf.compat.v1.get_default_graph()
        ends.append(len(graph.get_operations()))
        return result

    batch = tf.zeros((2, *shape)), tf.zeros((2,), tf.int32)
    w = [tf.zeros(v.shape) for v in model.trainable_variables]
    piece = tf.function(bilevel.both_gradients).get_concrete_function(
        loss, w, alpha, batch, tf.constant([0, 0])
    )
    operations = piece.graph.get_operations()
    forward = {o.name for o in operations[: ends[0]]}
    found = {}
    for operation in operations[ends[0] :]:
        for x in operation.inputs if operation.type not in NO_VALUES else ():
            while x.op.type == "Identity":
                x = x.op.inputs[0]
            given = x.op.type in ("Placeholder", "Const")
            if x.op.name in forward and x.shape.rank == 4 and not given:
                found[x.name] = int(np.prod(x.shape)) // 2
    return sum(found.values())


@pytest.mark.parametrize("size", [(8, 8), (9, 6)])
def test_the_darts_supernet(size):
    model = conv.Supernet(EVERY, 2, 4, 3)
    counted = kept(model, EVERY, (*size, 3))
    sizes = footprint.supernet(EVERY, 2, 4, 3, (*size, 3))
    assert sizes.weights == sum(
        int(np.prod(v.shape)) for v in model.trainable_variables
    )
    assert sizes.kept() == pytest.approx(counted, rel=0.02)


def test_nasbench201():
    space = space_by_name("nasbench201")
    model = nasbench201.Supernet(space, 2, 6, 3)
    counted = kept(model, space, (8, 8, 1))
    sizes = footprint.supernet(space, 2, 6, 3, (8, 8, 1))
    assert sizes.weights == sum(
        int(np.prod(v.shape)) for v in model.trainable_variables
    )
    assert sizes.kept() == pytest.approx(counted, rel=0.02)


def test_recomputed_cells_keep_what_enters_them_and_one_cell():
    sizes = footprint.supernet(EVERY, 4, 8, 10, (32, 32, 3))
    largest = max(cell.kept for cell in sizes.cells)
    small = sizes.kept(recompute=True)
    assert largest < small < sizes.kept() / 2
    # Stem, and outputs of 2 nodes of 4, 8 and 16 channels, the last left out.
    maps = [12 * 32**2, *[8 * 32**2] * 2, *[16 * 16**2] * 3, *[32 * 8**2] * 2]
    assert sizes.inputs == sum(maps)
