"""SGD takes the steps of tensorflow-addons 0.23.0's SGDW.

SGDW subtracts weight_decay * w apart from the learning rate, our SGD adds
weight_decay * w to the gradient: without momentum the two agree where SGDW's
weight_decay is learning rate times ours. With momentum they agree only
without decay.
"""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD

ORACLE = pathlib.Path(__file__).parents[1] / "oracles/tensorflow_addons.npz"


def follow(run: str, sgd_of=SGD):
    """(our path, the oracle's) as lists of [T, ...] for the two tensors."""
    with np.load(ORACLE, allow_pickle=False) as arrays:
        oracle = {key: arrays[key] for key in arrays if key.startswith(run)}
    rate, momentum, decay = (
        float(oracle[f"{run}_{key}"])
        for key in ("learning_rate", "momentum", "weight_decay")
    )
    sgd = sgd_of(momentum=momentum, weight_decay=decay / rate)
    w = [tf.constant(oracle[f"{run}_{p}_start"]) for p in range(2)]
    given = [oracle[f"{run}_{p}_gradients"] for p in range(2)]
    slots, path = sgd.slots(w), []
    for gradients in zip(*given, strict=True):
        gradients = [tf.constant(g) for g in gradients]
        w, slots = sgd.step(w, gradients, slots, rate)
        path.append([tensor.numpy() for tensor in w])
    ours = [np.stack(tensor) for tensor in zip(*path)]
    return ours, [oracle[f"{run}_{p}_path"] for p in range(2)]


@pytest.mark.parametrize("run", ["sgdw_decay", "sgdw_momentum", "average"])
def test_steps_equal_tensorflow_addons(run):
    for ours, theirs in zip(*follow(run), strict=True):
        assert len(ours) == 12
        np.testing.assert_allclose(ours, theirs, atol=3e-6)


@pytest.mark.parametrize("run", ["sgdw_decay", "sgdw_momentum"])
def test_the_comparison_would_notice(run):
    def without(momentum, weight_decay):
        del momentum, weight_decay
        return SGD()

    ours, theirs = follow(run, without)
    assert np.max(np.abs(ours[0] - theirs[0])) > 0.1
