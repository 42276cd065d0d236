"""Against the outputs of the authors' own code (tests/goldens/README.md)."""

from __future__ import annotations

import json
import os
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.networks import operations, pools
from darts_tf.networks.batch_norm import BatchNorm
from darts_tf.networks.conv import EvaluationNetwork, Supernet
from darts_tf.space import conv
from darts_tf.space.published import CONVOLUTIONAL
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.darts.derivation import derive
from darts_tf.strategy.darts.execution import Execution, weights_of
from tests.conformance.weights import fill, like
from tests.strategy.architecture_gradient import ArchitectureGradient

HERE = pathlib.Path(__file__).parent.parent / "goldens"
FOLDER = pathlib.Path(os.environ.get("DARTS_TF_GOLDENS", HERE))
GOLDEN = dict(np.load(FOLDER / "conv.npz", allow_pickle=False))
TIGHT = 1e-6  # relative to the largest element; all is float64
WEIGHT_DECAY, LEARNING_RATE = 3e-4, 0.025
pytestmark = pytest.mark.usefixtures("float64")
checked: set[str] = set()


def close(value, key: str, bound: float = TIGHT) -> None:
    """Asserts that a value is the golden one, and ticks its key off."""
    checked.add(key)
    golden = np.asarray(GOLDEN[key])
    value = np.asarray(value)
    assert value.shape == golden.shape, key
    scale = max(np.abs(golden).max(), 1e-12)
    assert np.abs(value - golden).max() <= bound * scale, key


def op_cases():
    pattern = re.compile(r"op/(\w+)/s(\d)(/affine)?/y$")
    return [m.groups() for m in map(pattern.match, GOLDEN) if m]


@pytest.mark.parametrize("name, stride, affine", op_cases())
def test_operation(name, stride, affine):
    x = tf.constant(GOLDEN["op/x"])
    step, key = int(stride), f"op/{name}/s{stride}{affine or ''}"
    checked.update(["op/x", f"op/r{stride}"])

    if name in pools.POOLS:
        function = lambda x: pools.POOLS[name](x, step)
    elif name == "skip_connect" and step == 1:
        function = tf.identity
    else:
        layer = operations.build(
            name, x.shape[-1], step, lambda: BatchNorm(bool(affine))
        )
        function = lambda x: layer(tf.nn.relu(x), training=True)
        function(x)
        fill(layer)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        total = tf.reduce_sum(y * GOLDEN[f"op/r{stride}"])
    close(y, f"{key}/y")
    close(tape.gradient(total, x), f"{key}/dx")


@pytest.fixture(scope="module")
def net(float64):
    """(gradient, weights, slots, alpha, train and valid batch).

    The gradient is compiled, of flat weights, as in a search; all methods share its
    pieces.
    tests/strategy holds these, and exact gradients by two reverse passes, to eager
    ones.
    """
    channels, layers, _, size, classes = map(int, GOLDEN["net/config"])
    model = Supernet(conv.SPACE, channels, layers, classes)
    alpha = [tf.constant(GOLDEN[f"net/alpha_{s.name}"]) for s in conv.SPACE.cells]
    batches = [
        (tf.constant(GOLDEN[f"net/x_{p}"]), tf.constant(GOLDEN[f"net/y_{p}"]))
        for p in ("train", "valid")
    ]
    cells = relaxation.per_cell(alpha, conv.SPACE, model.kinds)
    model(batches[0][0][:1], cells)
    fill(model)
    weights = weights_of(model)
    rows = [
        like(v, phase=0.3, amplitude=0.1) if len(v.shape) > 1 else np.zeros(v.shape)
        for v in model.trainable_variables
    ]
    slots = [tf.constant(np.concatenate([row.ravel() for row in rows]))]
    checked.update(
        "net/config net/x_train net/x_valid net/y_train net/y_valid "
        "net/alpha_normal net/alpha_reduce".split()
    )
    assert size == batches[0][0].shape[1]
    loss = weights.loss(relaxation.supernet_loss(model))
    compiled = ArchitectureGradient(
        loss,
        "first_order",
        Execution(Replicas("one_device")),
        exact=bilevel.forward_over_reverse,
    )
    return compiled, weights.values(), slots, alpha, *batches


SEED = tf.constant([0, 0])


@pytest.mark.slow
def test_supernet_first_order(net):
    gradient, w, _, alpha, train, valid = net
    gradient.method = "first_order"
    assert sum(np.prod(v.shape) for v in w) == GOLDEN["net/num_weights"]
    checked.add("net/num_weights")
    g, value, aux = gradient.grad_w(w, alpha, train, SEED)
    close(aux["logits"], "net/logits")
    close(value, "net/loss_train")
    close(tf.linalg.global_norm(g), "net/grad_w_global_norm")
    (normal, reduce), _, _ = gradient.grad_alpha(w, alpha, train, SEED)
    close(normal, "net/dalpha_normal_train")
    close(reduce, "net/dalpha_reduce_train")
    (normal, reduce), _, _ = gradient(w, alpha, train, valid, SEED, None)
    close(normal, "net/dalpha_normal_first")
    close(reduce, "net/dalpha_reduce_first")


@pytest.mark.slow
@pytest.mark.parametrize(
    "method, short", [("finite_difference", "fd"), ("exact", "exact")]
)
def test_supernet_unrolled(net, method, short):
    gradient, w, slots, alpha, train, valid = net
    gradient.method = method
    rate = tf.constant(LEARNING_RATE, tf.float64)
    cases = [("momentum/", 0.9, slots), ("", 0.0, [])]
    for folder, mu, state in cases:
        unroll = bilevel.Unroll(SGD(mu, WEIGHT_DECAY), state, rate)
        (normal, reduce), value, _ = gradient(w, alpha, train, valid, SEED, unroll)
        key = f"net/unrolled/{folder}"
        close(value, f"{key}loss_valid")
        close(normal, f"{key}dalpha_normal_{short}")
        close(reduce, f"{key}dalpha_reduce_{short}")


def eval_cases():
    pattern = re.compile(r"eval/(\w+)/logits_train$")
    return [m.group(1) for m in map(pattern.match, GOLDEN) if m]


@pytest.mark.slow
@pytest.mark.parametrize("name", eval_cases())
def test_evaluation_network(name):
    images = tf.constant(GOLDEN["eval/x"])
    checked.add("eval/x")
    model = EvaluationNetwork(CONVOLUTIONAL[name], 4, 6, 10)
    model(images[:1], training=False)
    model(images[:1], training=True)
    fill(model)
    for variable in model.non_trainable_variables:
        one = variable.name == "moving_variance"
        variable.assign(tf.fill(variable.shape, float(one)))
    logits, auxiliary = model(images, training=True)
    close(logits, f"eval/{name}/logits_train")
    close(auxiliary, f"eval/{name}/logits_aux_train")
    logits = model(images, training=False)
    close(logits, f"eval/{name}/logits_infer_after_one_train_pass")


def test_derived_cells():
    for case in json.loads((FOLDER / "derive_conv.json").read_text()):
        alpha = [case["alpha_normal"], case["alpha_reduce"]]
        cells = derive(conv.SPACE, alpha).cells
        assert set(case) == {"alpha_normal", "alpha_reduce", *cells}
        for name, cell in cells.items():
            assert [list(e) for e in cell.edges] == case[name]


@pytest.mark.slow
def test_every_key_was_checked(request):
    """Runs last; a key that nothing above knows fails."""
    ran = {item.name.split("[")[0] for item in request.session.items}
    if "test_evaluation_network" not in ran or len(ran) < 6:
        pytest.skip("only part of the conformance tests was selected")
    assert set(GOLDEN) - checked == set()
