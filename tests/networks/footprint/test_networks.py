"""Sizes that are computed, against the networks' graphs and weights."""

from __future__ import annotations

import json
import math
import pathlib

import pytest
import tensorflow as tf

from darts_tf.descent.precision import PRECISIONS
from darts_tf.networks import conv, nasbench201
from darts_tf.networks.footprint import networks
from darts_tf.networks.footprint.memory import ELEMENT
from darts_tf.networks.precision import NARROW
from darts_tf.space.cell import CellSpec, SearchSpace
from darts_tf.space.conv import CANDIDATES
from darts_tf.space.published import CONVOLUTIONAL, load_genotype
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation

GOLDENS = pathlib.Path(__file__).parents[2] / "goldens"
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


def kept(model, loss, w, alpha, shape, each=lambda x: 1) -> int:
    """Elements for one image that the backward pass of a graph reads.

    Feature maps that operations of the forward pass give and operations of
    the backward pass take, each once. `each`: what an element counts.
    """
    for cell in model.cells:
        for unit in filter(None, cell.units):
            getattr(unit, "mixed", unit).traces = None  # so it is one graph
    ends = []

    def marked(*given):
        result = loss(*given)
        graph = tf.compat.v1.get_default_graph()
        ends.append(len(graph.get_operations()))
        return result

    batch = tf.zeros((2, *shape)), tf.zeros((2,), tf.int32)
    piece = tf.function(bilevel.grad_w_alpha).get_concrete_function(
        marked, w, alpha, batch, tf.constant([0, 0])
    )
    operations = piece.graph.get_operations()
    forward = {o.name for o in operations[: ends[0]]}
    found = {}
    for operation in operations[ends[0] :]:
        for x in operation.inputs if operation.type not in NO_VALUES else ():
            while x.op.type in ("Identity", "Reshape"):
                x = x.op.inputs[0]
            given = x.op.type in ("Placeholder", "Const")
            # 1 x 1 convolutions are products of matrices.
            # Those of networks/compiled/weighted_sum.py are packed.
            a_map = (x.shape.rank or 0) >= 4 or x.op.type == "MatMul"
            if x.op.name in forward and a_map and not given:
                found[x.name] = math.prod(x.shape) // 2 * each(x)
    return sum(found.values())


def weights(model) -> int:
    return sum(math.prod(v.shape) for v in model.trainable_variables)


def all_kept(sizes) -> int:
    """Returns the elements of a whole pass: no cell recomputed, nothing waiting."""
    return sizes.outside.kept + sum(cell.kept for cell in sizes.cells)


@pytest.mark.slow
@pytest.mark.parametrize(
    "space, channels, layers, shape, groups",
    [
        (EVERY, 2, 4, (8, 8, 3), 1),
        (EVERY, 2, 4, (9, 6, 3), 1),
        (EVERY, 4, 3, (8, 8, 3), 2),
        (space_by_name("nasbench201"), 2, 6, (8, 8, 1), 1),
        (space_by_name("nasbench201"), 4, 3, (8, 8, 1), 2),
    ],
)
def test_supernets(space, channels, layers, shape, groups):
    kind = conv if space is EVERY else nasbench201
    model = kind.Supernet(space, channels, layers, 3, partial_channels=groups)
    alpha = relaxation.initial_alpha(space, 0, groups > 1)
    model(tf.zeros((1, *shape)), relaxation.cells_of(alpha, space, model.kinds))
    w = [tf.zeros(v.shape) for v in model.trainable_variables]
    loss = relaxation.supernet_loss(model)
    counted = kept(model, loss, w, list(map(tf.constant, alpha)), shape)
    sizes = networks.supernet(space, channels, layers, 3, shape, groups)
    assert sizes.weights == weights(model)
    assert all_kept(sizes) == pytest.approx(counted, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("space", ["darts_conv", "nasbench201"])
def test_evaluation_networks(space):
    staged, shape = space == "nasbench201", (12, 12, 3)
    name = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+"
    name += "|avg_pool_3x3~0|none~1|nor_conv_3x3~2|"
    genotype = load_genotype(name if staged else "NASNet", space)
    kind = nasbench201 if staged else conv
    model = kind.EvaluationNetwork(genotype, 2, 3, 4)
    model(tf.zeros((1, *shape)), training=True)
    state = [v.value for v in model.non_trainable_variables]

    def loss(w, alpha, batch, seed):
        (logits, more), _ = model.stateless_call(w, state, batch[0], training=True)
        more = 0.0 if more is None else tf.reduce_sum(more)
        return tf.reduce_sum(logits) + more, {}

    w = [tf.zeros(v.shape) for v in model.trainable_variables]
    counted = kept(model, loss, w, [], shape)
    sizes = networks.evaluation(genotype, 2, 3, 4, shape)
    assert sizes.weights == weights(model)
    assert all_kept(sizes) == pytest.approx(counted, rel=0.05)


@pytest.mark.slow
def test_bytes_of_an_element_in_mixed_precision():
    model = conv.Supernet(EVERY, 2, 3, 3)
    alpha, shape = relaxation.initial_alpha(EVERY, 0), (8, 8, 3)
    cells = relaxation.cells_of(alpha, EVERY, model.kinds)
    model(tf.zeros((1, *shape)), cells)
    w = [tf.zeros(v.shape) for v in model.trainable_variables]
    given = w, [tf.constant(a) for a in alpha], shape
    name = "mixed_bfloat16"
    loss = relaxation.supernet_loss(model)

    def size(x):
        narrow = x.dtype in NARROW
        # Kernels are cast anew in each pass, and are small in real networks.
        return 0 if narrow and x.op.type == "Cast" else x.dtype.size

    elements = kept(model, loss, *given)
    narrow = kept(model, PRECISIONS[name].of(loss), *given, size)
    assert narrow / elements == pytest.approx(ELEMENT[name], rel=0.1)


def golden_counts() -> dict[str, int]:
    counts = json.loads((GOLDENS / "param_counts.json").read_text())
    return {n: c for n, c in counts.items() if "/L" in n}


@pytest.mark.parametrize("key", golden_counts())
def test_weights_of_the_published_networks(key):
    name, data, channels, layers, head = key.split("/")
    mobile = data == "imagenet"
    sizes = networks.evaluation(
        CONVOLUTIONAL[name],
        int(channels[1:]),
        int(layers[1:]),
        1000 if mobile else 10,
        (224, 224, 3) if mobile else (32, 32, 3),
        head == "aux1",
        mobile,
    )
    assert sizes.weights == golden_counts()[key]


def test_recomputed_cells_keep_what_enters_them_and_one_cell():
    sizes = networks.supernet(EVERY, 4, 8, 10, (32, 32, 3))
    largest = max(cell.kept + cell.waiting for cell in sizes.cells)
    small = sizes.kept(recompute=True)
    assert largest < small < sizes.kept() / 2
    # Stem, and outputs of 2 nodes of 4, 8 and 16 channels, the last left out.
    maps = [12 * 32**2, *[8 * 32**2] * 2, *[16 * 16**2] * 3, *[32 * 8**2] * 2]
    assert sizes.inputs == sum(maps)
