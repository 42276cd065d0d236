"""Lambda-DARTS against its authors' own code (tests/goldens/README.md)."""

from __future__ import annotations

import functools
import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.networks.conv import Supernet
from darts_tf.space.registry import space_by_name
from darts_tf.strategy.darts import bilevel, relaxation
from darts_tf.strategy.lambda_darts.regularizer import LambdaRegularizer
from tests.conformance.weights import fill

HERE = pathlib.Path(__file__).parent.parent / "goldens"
FOLDER = pathlib.Path(os.environ.get("DARTS_TF_GOLDENS", HERE))
GOLDEN = dict(np.load(FOLDER / "lambda.npz", allow_pickle=False))
TIGHT = 1e-6  # relative to the largest element; all is float64
EPSILON_0 = 1e-3
REGULARIZERS = {"corr": "cosine", "signcorr": "sign"}
SPACES = {"s5": "darts_conv_nonzero"}  # the others have their own names
SEED = tf.constant([0, 0])
CASES = sorted({tuple(k.split("/")[1:3]) for k in GOLDEN if k.count("/") == 3})
KEYS = {
    "alpha_normal",
    "alpha_reduce",
    "layer_gradients_normal",
    "alignment_normal",
    "epsilon",
    "perturbations_all_cells",
    "weight_regulariser_gradient_global_norm",
    "classifier_regulariser_gradient",
    "loss",
}
pytestmark = pytest.mark.usefixtures("float64")


def close(value, golden, bound: float = TIGHT) -> None:
    value, golden = np.asarray(value), np.asarray(golden)
    assert value.shape == golden.shape
    scale = max(np.abs(golden).max(), 1e-12)
    assert np.abs(value - golden).max() <= bound * scale


@functools.cache
def supernet(name: str) -> Supernet:
    """Builds the network once for all regularizers."""
    channels, layers, _, _, classes = map(int, GOLDEN["lambda/config"])
    model = Supernet(space_by_name(name), channels, layers, classes)
    model.build((None, *GOLDEN["lambda/x"].shape[1:]))
    fill(model)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name, short", CASES)
def test_regulariser(name, short):
    golden = {k: GOLDEN[f"lambda/{name}/{short}/{k}"] for k in KEYS}
    batch, size = map(int, GOLDEN["lambda/config"][2:4])
    x, y = (tf.constant(GOLDEN[f"lambda/{k}"]) for k in "xy")
    assert tuple(x.shape) == (batch, size, size, 3)
    space = space_by_name(SPACES.get(name, name))
    model = supernet(space.name)
    alpha = [tf.constant(golden[f"alpha_{s.name}"]) for s in space.cells]
    w = [tf.convert_to_tensor(v.value) for v in model.trainable_variables]
    loss_at = relaxation.cells_loss(model)
    cells = relaxation.cells_of(alpha, space, model.kinds)
    base, layer_gradients, _, _ = bilevel.grad_w_alpha(loss_at, w, cells, (x, y), SEED)
    regularizer = LambdaRegularizer(
        loss_at, space, model.kinds, REGULARIZERS[short], epsilon_0=EPSILON_0
    )
    total, loss, aux = regularizer(None, w, alpha, (x, y), SEED, strength=1.0)
    _, u = regularizer.perturbations(layer_gradients)
    up, down, epsilon = bilevel.perturb(cells, u, EPSILON_0)
    close(loss, golden["loss"])
    close(aux["alignment"], golden["alignment_normal"])
    normal = [g for g, k in zip(layer_gradients, model.kinds) if k == "normal"]
    close(tf.stack(normal), golden["layer_gradients_normal"])
    close(epsilon, golden["epsilon"])
    steps = [(p - n) / 2 for p, n in zip(up, down, strict=True)]
    close(tf.stack(steps), golden["perturbations_all_cells"])

    added = [t - g for t, g in zip(total, base, strict=True)]
    norm = golden["weight_regulariser_gradient_global_norm"]
    close(tf.linalg.global_norm(added), norm)
    (kernel,) = [
        g for g, v in zip(added, model.trainable_variables) if len(v.shape) == 2
    ]
    close(kernel, golden["classifier_regulariser_gradient"])


def test_every_key_is_checked():
    known = {"lambda/config", "lambda/x", "lambda/y"}
    known |= {f"lambda/{n}/{s}/{k}" for n, s in CASES for k in KEYS}
    assert set(GOLDEN) == known
    assert CASES and {short for _, short in CASES} <= set(REGULARIZERS)
