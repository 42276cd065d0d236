"""Networks whose every weight and statistic is drawn, for morphisms."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from darts_tf.networks import conv, nasbench201
from darts_tf.networks.derived import separate
from darts_tf.space.nasbench201 import SPACE as NB201


def network(genotype, channels, layers=3, seed=0, kind=None, size=8, **more):
    """Built; scales, shifts and running statistics far from the start's."""
    keras.utils.set_random_seed(seed)
    module = nasbench201 if genotype.space == NB201.name else conv
    kind = kind or module.EvaluationNetwork
    net = kind(genotype, channels, layers, 4, **more)
    net(tf.zeros((2, size, size, 3)), training=True)  # the auxiliary head, too
    rng = np.random.default_rng(seed)
    for variable in net.variables:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif variable.name in ("beta", "moving_mean"):
            variable.assign(rng.normal(0, 0.5, variable.shape))
    return net


def images(size=8):
    """[3, size, size, 3]."""
    return tf.random.stateless_normal((3, size, size, 3), (1, 2))


def logits(net, training, size=8) -> list[np.ndarray]:
    """Returns the logits of the classifier and, in training, of the auxiliary head."""
    outputs = separate(net(images(size), training=training))
    return [x.numpy() for x in outputs if x is not None]


def assert_same(parent, child, training, size=8, atol=2e-5) -> None:
    """The logits, which are of the order of 1, are equal."""
    one, other = (logits(net, training, size) for net in (parent, child))
    assert len(one) == len(other) and np.abs(one[0]).max() > 0.1
    for mine, theirs in zip(one, other):
        np.testing.assert_allclose(theirs, mine, rtol=1e-5, atol=atol)
