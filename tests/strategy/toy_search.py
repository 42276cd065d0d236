"""A search on a smooth toy supernet of two numbers an operation."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import snapshot
from darts_tf.strategy.darts import relaxation
from darts_tf.strategy.darts.search_loop import Search, SearchSettings
from tests.strategy.small_space import SMALL

RATE, EPOCHS, STEPS = 0.1, 3, 2
WIDTH = 2 * 5  # the weights of two edges of five candidates


def loss(w, alpha, batch, seed):
    """Smooth in both; every mixing weight counts."""
    return relaxed_loss(w, relaxation.mixing_weights(alpha), batch, seed)


def relaxed_loss(w, weights, batch, seed):
    """The same, of mixing weights."""
    del seed
    mixed = tf.concat([tf.reshape(p, [-1]) for p in weights], 0)
    output = tf.tanh(batch @ w[0]) @ tf.expand_dims(mixed, 1)
    return tf.reduce_mean(tf.square(output - w[1])), None


class Toy:
    """A Task of one weight matrix and one offset."""

    space, units, has_directional_derivatives = SMALL, "numbers", False
    relaxed = False
    train_loss = valid_loss = staticmethod(loss)
    relaxed_loss = staticmethod(relaxed_loss)

    def __init__(self):
        random = np.random.default_rng(0)
        start = random.normal(size=(3, 2 * WIDTH)).astype(np.float32)
        self.w = [tf.Variable(start), tf.Variable([0.3])]

    def batches(self, step):
        random = np.random.default_rng(step)
        both = random.normal(size=(2, 4, 3)).astype(np.float32)
        return tuple(map(tf.constant, both))

    def rate_factor(self, train):
        return 1.0

    def keep(self, train_aux, valid_aux):
        pass

    def scalars(self, train, loss, aux):
        return {"train/loss": loss}

    def measure(self, alpha):
        batch, _ = self.batches(99)
        return {"valid/loss": float(self.valid_loss(self.w, alpha, batch, None)[0])}

    def state(self):
        return {}

    def restore(self, arrays):
        pass


class RelaxedToy(Toy):
    """The same, whose losses take mixing weights."""

    relaxed = True
    train_loss = valid_loss = staticmethod(relaxed_loss)


def build(
    method="first_order", kind=Search, task=Toy, cost_penalty=None, **more
) -> Search:
    """A search of EPOCHS epochs of STEPS steps; `more` of SearchSettings."""
    settings = SearchSettings(
        method,
        EPOCHS,
        STEPS,
        4,
        RATE,
        0.01,
        alpha_learning_rate=0.3,
        **more,
    )
    replicas = Replicas("one_device")
    return kind(task(), settings, replicas, cost_penalty=cost_penalty)


def run(search, steps):
    for _ in range(steps):
        search.advance()
    return search


def seen_gradient(search) -> list[np.ndarray]:
    """Returns what the next step hands to Adam, read off its first moment."""
    before = snapshot(search.architecture.slots)
    search.advance()
    after = snapshot(search.architecture.slots)
    beta = search.settings.alpha_beta1
    return [(after[i] - beta * before[i]) / (1 - beta) for i in range(len(SMALL.cells))]
