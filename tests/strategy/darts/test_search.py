"""Algorithm 1 on a supernet of the smallest size, also on two replicas."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scripts import check_says

TWO_DEVICES = """
import dataclasses
import numpy as np, tensorflow as tf, keras
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
keras.config.set_dtype_policy("float64"); keras.config.set_floatx("float64")
from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.networks import operations
from darts_tf.networks.conv import Supernet
from darts_tf.strategy.darts import bilevel
from darts_tf.strategy.lambda_darts import regularizer
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.diagnostics.hessian import hessian_product
from darts_tf.strategy.darts.execution import Execution, weights_of
from tests.strategy.architecture_gradient import ArchitectureGradient
from tests.strategy.small_space import SMALLER
rng = np.random.default_rng(0)
data = [(rng.standard_normal((4, 8, 8, 1)), np.array([0, 1, 2, 1]))
        for _ in range(2)]
alpha = [rng.standard_normal((2, 3)) for _ in range(2)]
results = {}
for kind in ("one_device", "mirrored"):
    replicas = Replicas(kind)
    assert replicas.count == (2 if kind == "mirrored" else 1)
    keras.utils.set_random_seed(0)
    with replicas.scope():
        net = Supernet(SMALLER, 1, 3, 3, synchronized=True)
        cells = [tf.constant(alpha[k == "reduce"]) for k in net.kinds]
        net(tf.zeros((1, 8, 8, 1), tf.float64), cells)
    batches = [
        next(iter(replicas.split(
            tf.data.Dataset.from_tensor_slices(d).batch(4), 4)))
        for d in data
    ]
    # Only the exact gradient on two devices is compiled: that saves a minute.
    tf.config.run_functions_eagerly(True)
    execution = Execution(replicas, compiled=replicas.count > 1)
    weights = weights_of(net)
    loss = weights.loss(relaxation.supernet_loss(net))
    gradient = ArchitectureGradient(loss, "exact", execution)
    w = replicas.compile(weights.values)()
    a = replicas.compile(lambda: [tf.constant(x) for x in alpha])()
    with execution.active():
        rows = hessian_product(
            loss, w, a, batches[1],
            tf.constant([0, 0]), [tf.constant(np.cos(x)) for x in alpha])
    results[kind, "hessian"] = np.concatenate(
        [np.array(replicas.local(x)) for x in rows])
    for method in bilevel.METHODS:
        gradient.method = method
        tf.config.run_functions_eagerly(method != "exact")
        unroll = bilevel.Unroll(SGD(0.0, 3e-4, 5.0), [],
                                tf.constant(0.025, tf.float64))
        g, value, _ = gradient(w, a, *batches, tf.constant([0, 0]), unroll)
        rows = np.concatenate([np.array(replicas.local(x)) for x in g])
        results[kind, method] = rows
        results[kind, method + " loss"] = np.array(replicas.local(value))
    tf.config.run_functions_eagerly(True)
    # Its two reduction cells come first, so that they are the aligned ones.
    turned = dataclasses.replace(SMALLER, cells=SMALLER.cells[::-1])
    regulariser = regularizer.LambdaRegularizer(
        weights.loss(relaxation.cells_loss(net)), turned, net.kinds, "cosine")
    with execution.active():
        g, _, aux = regulariser(
            None, w, a[::-1], batches[0], tf.constant([0, 0]), 1.0)
    rows = [np.array(replicas.local(x)).ravel() for x in g]
    results[kind, "lambda by finite difference"] = np.concatenate(rows)
    results[kind, "alignment"] = np.array(replicas.local(aux["alignment"]))
for name in {m for _, m in results}:
    one, two = results["one_device", name], results["mirrored", name]
    error = np.abs(one - two).max() / np.abs(one).max()
    print(name, error)
    # eq. 8 divides rounding by a small step
    assert error < (1e-5 if "finite" in name else 1e-9), (name, error)
tf.config.run_functions_eagerly(False)
x, seed = tf.zeros((1, 2, 2, 1)), tf.constant([1, 2])
drawn = replicas.compile(lambda: operations.noise(x, 1, seed, 3))()
assert len(np.unique(replicas.joined(drawn))) == 8
print("SAME")
"""


@pytest.mark.slow
def test_two_replicas_compute_what_one_does_on_the_joined_batch():
    check_says(TWO_DEVICES, "SAME", devices=2)


def shown(search) -> dict[str, float]:
    """An instrument."""
    return {"shown/step": search.step}


@pytest.fixture(scope="module")
def loop():
    from tests.strategy.small_search import small_search

    return small_search("first_order", [shown])


@pytest.mark.slow
def test_resumed_search_equals_an_undisturbed_one(loop):
    loop.advance()
    state = loop.state()
    scalars = [loop.advance() for _ in range(2)]
    after = loop.state()
    loop.restore(state)
    again = [loop.advance() for _ in range(2)]
    for name, array in loop.state().items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)
    assert [float(s["train/loss"]) for s in scalars] == [
        float(s["train/loss"]) for s in again
    ]


@pytest.mark.slow
def test_a_step_moves_alpha_w_and_statistics(loop):
    before = loop.state()
    loop.advance()
    after = loop.state()
    for group in ("w", "w_slots", "alpha", "alpha_slots", "task"):
        names = [n for n in before if n.split("/")[0] == group]
        assert any((before[n] != after[n]).any() for n in names), group


@pytest.mark.slow
def test_architecture_passes_move_no_statistics(loop):
    before = loop.task.state()["statistics"]
    _, batch = loop.task.batches(loop.step)
    import tensorflow as tf

    from darts_tf.strategy.darts import bilevel

    w, alpha = loop.values()
    with loop.execution.active():
        bilevel.grad_alpha(loop.task.valid_loss, w, alpha, batch, tf.constant([0, 0]))
    assert before.size
    np.testing.assert_array_equal(before, loop.task.state()["statistics"])


@pytest.mark.slow
def test_genotype_and_end_of_epoch(loop):
    assert set(loop.genotype().cells) == {"normal", "reduce"}
    record = loop.end_epoch()
    assert 0 <= record["valid/accuracy"] <= 1
    assert record["shown/step"] == loop.step
    for weights in loop.architecture.mixing_weights().values():
        np.testing.assert_allclose(weights.sum(-1), 1)


@pytest.mark.slow
def test_compiled_second_derivatives_are_the_eager_ones(loop):
    """TensorFlow's have been wrong in graphs only.

    Directional ones: networks/compiled/test_directional_derivatives.py.
    """
    import tensorflow as tf

    from darts_tf.strategy.darts import bilevel

    loss = loop.task.train_loss
    w, alpha = loop.weights.read(), loop.architecture.read()
    train, _ = loop.task.batches(loop.step)
    u = [tf.sin(tf.range(tf.size(t), dtype=t.dtype)) for t in w]
    u = [tf.reshape(d, t.shape) for d, t in zip(u, w)]
    seed = tf.constant([0, 0])

    def product(*arguments):
        return bilevel.reverse_over_reverse(loss, *arguments)

    arguments = (w, alpha, train, seed, u)
    eager = product(*arguments)
    graph = tf.function(product)(*arguments)
    for a, b in zip(eager, graph, strict=True):
        scale = np.abs(a).max()
        assert scale > 1e-3
        np.testing.assert_allclose(a, b, atol=1e-2 * scale)
