"""alpha as a search holds it, against numpy, in the smallest space."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from darts_tf.descent.optimizers import SGD
from darts_tf.descent.replicas import Replicas
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.architecture import Architecture
from tests.strategy.small_space import SMALL

RATE = 0.5


class Plain(SGD):
    """alpha - RATE g, so that a step can be written down."""

    def step(self, parameters, gradients, slots, *more):
        return super().step(parameters, gradients, slots, RATE)


@pytest.fixture
def alpha():
    plain = Plain(momentum=0.0, weight_decay=0.0, clip_norm=0.0)
    return Architecture(SMALL, 0, False, plain, Replicas("one_device"))


def test_a_step_divides_by_the_temperature_once(alpha):
    """g is of alpha / T: alpha moves along g / T, and is read over T."""
    start = alpha.values()
    alpha.temperature = 0.25
    alpha.move([tf.ones(a.shape) for a in start])
    for old, new, read in zip(start, alpha.values(), alpha.read()):
        np.testing.assert_allclose(new, old - RATE / 0.25, rtol=1e-6)
        np.testing.assert_allclose(read, new / 0.25, rtol=1e-6)


def test_mixing_weights_and_genotype_are_those_of_alpha_over_t(alpha):
    alpha.temperature = 0.5
    for variable, spec in zip(alpha.variables, SMALL.cells):
        rows = np.arange(np.prod(spec.alpha_shape)).reshape(spec.alpha_shape)
        variable.assign(np.sin(rows.astype(np.float32)))
        powers = np.exp(2 * np.sin(rows))
        np.testing.assert_allclose(
            alpha.mixing_weights()[spec.name],
            powers / powers.sum(-1, keepdims=True),
            rtol=1e-5,
        )
    scaled = [np.array(rows) for rows in alpha.read()]
    assert alpha.genotype() == derivation.derive(SMALL, scaled)
    assert alpha.edge_weights() == {}
