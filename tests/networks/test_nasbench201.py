"""The networks of NAS-Bench-201 against numpy, and its published sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.errors import InputError
from darts_tf.networks import nasbench201
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.discrete_edges import DiscreteEdges
from darts_tf.networks.footprint import counts
from darts_tf.space.architecture_string import from_string
from darts_tf.space.nasbench201 import CANDIDATES, SPACE
from darts_tf.strategy.darts import relaxation


def same(name: str) -> str:
    """The string of the cell with `name` on every edge."""
    return "+".join(
        "|" + "".join(f"{name}~{source}|" for source in range(node))
        for node in (1, 2, 3)
    )


def conv2d(x, kernel):
    """Stride 1, zeros around; [B, H, W, in], [k, k, in, out]."""
    margin = kernel.shape[0] // 2
    sides = [(0, 0), (margin, margin), (margin, margin), (0, 0)]
    padded, y = np.pad(x, sides), 0
    height, width = x.shape[1:3]
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            seen = padded[:, i : i + height, j : j + width]
            y = y + seen @ kernel[i, j]
    return y


def normed(x):
    """Batch norm without scale and shift, by the batch's statistics."""
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) / np.sqrt(variance + 1e-5)


def averaged(x):
    """3 x 3 average of those pixels that exist."""
    kernel = np.ones((3, 3, 1, 1))
    count = conv2d(np.ones((1, *x.shape[1:3], 1)), kernel)
    each = [conv2d(x[..., [c]], kernel) for c in range(x.shape[-1])]
    return np.concatenate(each, -1) / count


def reference(x, kernels, weights):
    """The mixed cell; kernels[row][name], weights [6, 5]."""
    nodes, row = [x], 0
    for target in (1, 2, 3):
        total = np.zeros_like(x)
        for source in range(target):
            h, own = nodes[source], kernels[row]
            candidates = {
                "none": np.zeros_like(x),
                "skip_connect": h,
                "avg_pool_3x3": averaged(h),
            } | {
                name: normed(conv2d(np.maximum(h, 0), kernel))
                for name, kernel in own.items()
            }
            for name, weight in zip(CANDIDATES, weights[row]):
                total += weight * candidates[name]
            row += 1
        nodes.append(total)
    return nodes[3]


def kernels_of(cell, channels: int):
    """Returns the kernels of a supernet's cell, by row of alpha, then by name."""
    spec, kernels = SPACE.cells[0], [{} for _ in range(6)]
    for source, unit in enumerate(cell.units):
        for name, chain in unit.convolutions.items():
            parts = np.split(chain.layers[0].kernel.numpy(), len(unit.edges), -1)
            for (row, _), part in zip(spec.outgoing(source), parts):
                assert part.shape[-2:] == (channels, channels)
                kernels[row][name] = part
    return kernels


def test_mixed_cell_is_numpys():
    model = nasbench201.Supernet(SPACE, 3, 3, 4)
    x = tf.random.stateless_normal((2, 5, 6, 3), [1, 2])
    weights = np.random.default_rng(0).random((6, 5)).astype(np.float32)
    cell = model.cells[0]
    out = cell([x], training=True, weights=tf.constant(weights))
    wanted = reference(x.numpy(), kernels_of(cell, 3), weights)
    np.testing.assert_allclose(out, wanted, atol=2e-5)


@pytest.mark.parametrize("name", CANDIDATES)
def test_derived_cell_is_the_mixed_one_with_a_single_candidate(name):
    model = nasbench201.Supernet(SPACE, 3, 3, 4)
    x = tf.random.stateless_normal((2, 5, 5, 3), [1, 2])
    weights = np.zeros((6, 5), np.float32)
    weights[:, CANDIDATES.index(name)] = 1
    mixed = model.cells[0]
    out = mixed([x], training=True, weights=tf.constant(weights))
    network = nasbench201.EvaluationNetwork(from_string(same(name)), 3, 3, 4)
    derived = network.cells[0]
    derived([x])
    kernels = kernels_of(mixed, 3)
    for source, unit in enumerate(derived.units):
        rows = [row for row, _ in SPACE.cells[0].outgoing(source)]
        for row, chain in zip(rows, unit.operations):
            if chain is not None:
                chain.layers[0].kernel.assign(kernels[row][name])
    np.testing.assert_allclose(derived([x], training=True), out, atol=2e-5)
    assert (np.abs(out).max() == 0) == (name == "none")


def test_zero_of_a_derived_edge_follows_the_stride():
    unit = DiscreteEdges([(2, "none")], 3, 2, 0)
    ((_, (y,)),) = unit(tf.ones((2, 5, 6, 3)))
    assert y.shape == (2, 3, 3, 3) and not y.numpy().any()


@pytest.mark.parametrize(
    "name, count",
    [("skip_connect", 73_306), ("nor_conv_3x3", 1_531_546), ("none", 73_306)],
)
def test_parameters_are_as_published(name, count):
    """params of the benchmark: 0.073306 MB and 1.531546 MB."""
    model = nasbench201.EvaluationNetwork(from_string(same(name)), 16, 15, 10)
    model(tf.zeros((1, 8, 8, 3)))
    assert counts.parameters(model) == count


def test_residual_block_is_numpys():
    block = nasbench201.ResidualBlock(4, lambda: BatchNorm(True))
    x = tf.random.stateless_normal((2, 6, 4, 3), [3, 4])
    y = block(x, training=True)
    k1, k2, k3 = (
        layer.kernel.numpy()
        for layer in (block.first.layers[0], block.second.layers[0], block.shortcut)
    )
    x = x.numpy()
    inner = normed(conv2d(np.maximum(x, 0), k1)[:, ::2, ::2])
    inner = normed(conv2d(np.maximum(inner, 0), k2))
    pooled = x.reshape(2, 3, 2, 2, 2, 3).mean((2, 4))
    np.testing.assert_allclose(y, inner + conv2d(pooled, k3), atol=2e-5)


@pytest.mark.parametrize("size", [1, 5, 8])
def test_any_image_size(size):
    genotype = from_string(same("avg_pool_3x3"))
    model = nasbench201.EvaluationNetwork(genotype, 2, 3, 7)
    logits = model(tf.zeros((2, size, size, 1)), training=True)
    assert logits.shape == (2, 7)


@pytest.mark.parametrize(
    "channels, layers, classes, word",
    [
        (0, 3, 10, "channels"),
        (4, 4, 10, "multiple of 3"),
        (4, 0, 10, "multiple of 3"),
        (4, 3, 1, "classes"),
    ],
)
def test_impossible_sizes(channels, layers, classes, word):
    for build in (
        lambda: nasbench201.Supernet(SPACE, channels, layers, classes),
        lambda: nasbench201.EvaluationNetwork(
            from_string(same("none")), channels, layers, classes
        ),
    ):
        with pytest.raises(InputError, match=word):
            build()


def test_each_cell_has_its_own_mixing_weights_and_none_has_a_gradient():
    model = nasbench201.Supernet(SPACE, 2, 6, 3)
    assert model.kinds == ("cell",) * 6
    images = tf.random.stateless_normal((4, 8, 8, 3), [1, 2])
    weights = relaxation.mixing_weights(relaxation.initial_alpha(SPACE, 0))
    cells = relaxation.per_cell(weights, SPACE, model.kinds)
    with tf.GradientTape() as tape:
        tape.watch(cells)
        loss = tf.reduce_sum(model(images, cells, training=True) ** 2)
    first, *_, last = tape.gradient(loss, cells)
    assert np.abs(first - last).max() > 1e-6
    none = CANDIDATES.index("none")
    assert not first.numpy()[:, none].any()


def test_only_norms_of_the_mixed_operations_have_no_scale():
    model = nasbench201.Supernet(SPACE, 2, 3, 3)
    cells = [tf.ones((6, 5))] * 3
    model(tf.zeros((1, 8, 8, 3)), cells)
    inside = sum(math.prod(v.shape) for c in model.cells for v in c.trainable_variables)
    convolutions = 6 * 10 * (2**2 + 4**2 + 8**2)
    assert inside == convolutions


def test_the_scale_of_the_last_cells_output_has_no_derivative():
    """The last norm undoes it, so nothing holds back zero on the edges that enter it.

    A common factor s of these three edges: d L / d log s is the sum over them of the
    mixing weights times their derivatives. (In the cells before, it is not zero.)
    """
    net = nasbench201.Supernet(SPACE, 4, 3, 10)
    random = np.random.default_rng(0)
    images = tf.constant(random.normal(size=(16, 8, 8, 3)), tf.float32)
    labels = tf.constant(random.integers(0, 10, 16))
    alpha = [tf.constant(random.normal(size=(6, 5)), tf.float32) for _ in range(3)]
    weights = [tf.nn.softmax(rows) for rows in alpha]
    net(images, weights)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits = net(images, weights, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tf.reduce_mean(losses)
    slopes = [
        float(tf.reduce_sum((rows * slope)[3:]))
        for rows, slope in zip(weights, tape.gradient(loss, weights))
    ]
    assert abs(slopes[-1]) < 1e-5
    assert max(map(abs, slopes[:-1])) > 1e-3
