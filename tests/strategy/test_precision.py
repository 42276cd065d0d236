"""Searches in low precision, beside the same ones in float32.

The bounds are wide (docs/precision_and_memory.md) because a ReLU or a max
pool that switches changes a gradient by a jump: rounding the images alone, all
else in float32, moves the gradient of alpha by some percent.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from darts_tf.data.images.loading import load_images
from darts_tf.descent.optimizers import SGD
from darts_tf.descent.precision import PRECISIONS
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import bilevel, relaxation, tasks
from darts_tf.strategy.darts import search_loop as search_module
from darts_tf.strategy.darts.execution import Execution
from darts_tf.strategy.lambda_darts import regularizer
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_space import SMALL
from tests.strategy.test_search_spaces import Eager

LOW = {name: p for name, p in PRECISIONS.items() if name != "float32"}
BOUNDS = {
    "mixed_bfloat16": (0.3, 0.8, 0.7),
    "mixed_float16": (0.15, 0.5, 0.4),
}
"""Of the relative error of alpha's gradient, in the order of METHODS."""


def network():
    """A supernet for digits, and its alpha."""
    keras.utils.set_random_seed(0)
    net = Supernet(SMALL, 2, 3, 10)
    start = relaxation.initial_alpha(SMALL, 0)
    cells = relaxation.per_cell(start, SMALL, net.kinds)
    net(tf.zeros((1, 8, 8, 1)), cells)
    return net, [tf.constant(rows) for rows in start]


@pytest.fixture(scope="module")
def digits():
    """Two batches of 32."""
    part = load_images("digits").train
    images = part.images.astype(np.float32)
    images = (images - images.mean()) / images.std()
    return [
        (tf.constant(images[at], tf.float32), tf.constant(part.labels[at]))
        for at in (slice(0, 32), slice(32, 64))
    ]


@pytest.fixture(scope="module")
def gradients(digits):
    """alpha's gradient [E] by (method, precision)."""
    net, alpha = network()
    w = [tf.convert_to_tensor(v.value) for v in net.trainable_variables]
    sgd, found = SGD(0.9, 3e-4, 5.0), {}
    unroll = bilevel.Unroll(sgd, sgd.slots(w), tf.constant(0.025))
    for name in PRECISIONS:
        execution = Execution(Eager("one_device"), precision=name)
        gradient = ArchitectureGradient(
            relaxation.supernet_loss(net), "exact", execution
        )
        for method in bilevel.METHODS:
            gradient.method = method
            rows, *_ = gradient(w, alpha, *digits, tf.constant([0, 0]), unroll)
            assert {r.dtype for r in rows} == {tf.float32}
            found[method, name] = np.concatenate([np.ravel(r) for r in rows])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", LOW)
@pytest.mark.parametrize("place, method", [*enumerate(bilevel.METHODS)])
def test_the_gradient_of_alpha_is_within_its_bound(gradients, place, method, name):
    wanted = gradients[method, "float32"]
    error = np.linalg.norm(gradients[method, name] - wanted)
    error /= np.linalg.norm(wanted)
    assert 1e-4 < error < BOUNDS[name][place]  # low precision was at work


def search(batches, precision):
    """The steps of a search on two batches, in turn."""
    net, _ = network()
    replicas = Eager("one_device")

    def endless(start):
        while True:
            yield batches[start % 2]
            start += 1

    task = tasks.ImageTask(net, endless, endless, lambda: batches[:1], replicas)
    settings = search_module.SearchSettings(
        "first_order", 4, 1, 32, precision=precision, compiled=False
    )
    return search_module.Search(task, settings, replicas)


@pytest.mark.slow
@pytest.mark.parametrize("name", LOW)
def test_a_search_keeps_float32_and_resumes_exactly(digits, name):
    loop = search(digits, name)
    loop.advance()
    state = loop.state()
    kinds = {array.dtype for n, array in state.items() if n.startswith("w")}
    assert kinds == {np.dtype(np.float32)}
    scalars, after = loop.advance(), loop.state()
    again = search(digits, name)
    again.restore(state)
    again.advance()
    for key, array in again.state().items():
        np.testing.assert_array_equal(array, after[key], err_msg=key)
    skipped = {k: float(v) for k, v in scalars.items() if "skipped" in k}
    both = {"train/skipped": 0.0, "valid/skipped": 0.0}
    assert skipped == (both if name == "mixed_float16" else {})


def test_a_gradient_that_overflows_changes_nothing(digits):
    """Batch norm's statistics, which are finite, do follow."""
    loop = search(digits, "mixed_float16")
    (row,), bias = loop.task.w, 10  # the classifier's weights are the last
    kernel = tf.size(loop.task.model.classifier.kernel)
    values = row.numpy()
    values[-bias - int(kernel) : -bias] = 1e30
    row.assign(values)
    before = loop.state()
    scalars = loop.advance()
    after = loop.state()
    assert float(scalars["train/skipped"]) == 1
    changed = {n for n in after if not np.array_equal(after[n], before[n])}
    assert not [n for n in changed if n.startswith("w")], changed


@pytest.mark.parametrize("name", LOW)
def test_lambdas_central_difference_is_float32(name):
    """All that comes before it is in the precision."""
    seen = []

    def loss(w, cells, batch, seed):
        seen.append(batch[0].dtype)
        h = tf.cast(batch[0], tf.float32) @ w[0]
        sizes = [n * tf.reduce_sum(c * c) for n, c in enumerate(cells)]
        return tf.reduce_mean(h * h) * tf.add_n(sizes), {}

    kinds = ("normal", "reduce", "normal")
    alpha = [tf.ones((2, 5)) * tf.range(5.0) for _ in SMALL.cells]
    given = [tf.ones((3, 2))], alpha, (tf.ones((4, 3)),), tf.constant([0, 0])
    found = []
    for precision in ("float32", name):
        lambda_regularizer = regularizer.LambdaRegularizer(loss, SMALL, kinds, "cosine")
        with Execution(Eager("one_device"), precision=precision).active():
            g, _, _ = lambda_regularizer(None, *given, strength=0.5)
        found.append(g[0])
    assert seen == [tf.float32] * 3 + [LOW[name].dtype] + [tf.float32] * 2
    np.testing.assert_allclose(*found, rtol=1e-3)


@pytest.mark.slow
def test_float32_has_no_casts(digits):
    """So that it computes what it did before there were other precisions."""
    net, alpha = network()
    w = [tf.convert_to_tensor(v.value) for v in net.trainable_variables]
    loss = relaxation.supernet_loss(net)
    seed = tf.constant([0, 0])
    graph = (
        tf.function(lambda: bilevel.grad_w_alpha(loss, w, alpha, digits[0], seed))
        .get_concrete_function()
        .graph
    )
    inner = [f.graph for f in graph._functions.values() if hasattr(f, "graph")]
    kinds = {
        op.type
        for g in [graph, *inner]
        for op in g.get_operations()
        if any(t.dtype in (tf.bfloat16, tf.float16) for t in op.outputs)
        or (op.type == "Cast" and op.inputs[0].dtype == tf.float32)
    }
    assert kinds == set()
