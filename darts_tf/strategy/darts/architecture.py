"""Holds alpha during a search: its values, its steps, its genotype.

With a temperature T (the DARTS paper ends by proposing to anneal it), all is
computed with alpha / T in the place of alpha. The gradient with respect to
alpha is then the one with respect to alpha / T, divided by T; no loss knows
of it.

Other relaxations than the softmax (strategy/darts/other_relaxations.py) have T = 1,
and losses take their mixing weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import snapshot
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation
from darts_tf.strategy.darts.relaxation import initial_alpha


class Architecture:
    """The architecture parameters of one search.

    Args:
      space: what is searched.
      seed: of alpha's start.
      edge_normalisation: with beta, a weight of each edge (Xu et al. 2020).
      optimizer: moves alpha (descent/optimizers.py).
      replicas: where it runs.
      relaxation: one of derivation.MEANS.

    Attributes:
      variables, slots: alpha and its optimizer's memory.
      temperature: T.
      relaxation: its name.
      observers: functions that are called with each gradient before the step.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        edge_normalisation: bool,
        optimizer,
        replicas: Replicas,
        relaxation: str = "softmax",
    ):
        self.space, self.temperature = space, 1.0
        self.relaxation = relaxation
        self.observers: list[Callable] = []
        drawn = initial_alpha(space, seed, edge_normalisation)
        start = [tf.constant(rows) for rows in drawn]
        slots = optimizer.slots(start)
        with replicas.scope():
            self.variables = [tf.Variable(rows) for rows in start]
            self.slots = [tf.Variable(s, trainable=False) for s in slots]
        self._compile(optimizer, replicas)

    def _compile(self, optimizer, replicas: Replicas) -> None:
        def scaled(temperature):
            return [a / temperature for a in self.variables]

        def move(gradient, temperature):
            moved, slots = optimizer.step(
                [tf.identity(a) for a in self.variables],
                [g / temperature for g in gradient],
                [tf.identity(s) for s in self.slots],
            )
            replicas.assign(self.variables, moved)
            replicas.assign(self.slots, slots)
            return optimizer.skipped(gradient)

        self._scaled = replicas.compile(scaled)
        self._move = replicas.compile(move)

    def read(self):
        """Returns alpha / T, a list of tensors."""
        return self._scaled(tf.constant(self.temperature))

    def mean(self) -> list:
        """Returns what losses take on average, a list of tensors shaped like alpha.

        With softmax that is alpha / T, with others the mean mixing weights, and
        with gumbel the path of the largest: 1 for one candidate an edge.
        """
        if self.relaxation == "softmax":
            return self.read()
        weights = self.mixing_weights()
        if self.relaxation == "gumbel":
            weights = {name: _one_hot(rows) for name, rows in weights.items()}
        return [
            tf.constant(_with_column(weights[spec.name], beta), tf.float32)
            for spec, _, beta in self._parted()
        ]

    def move(self, gradient):
        """Takes a step along the gradient with respect to alpha / T.

        Returns whether it was left out, see the optimizer's `skipped`.
        """
        self.observe(gradient)
        return self._move(gradient, tf.constant(self.temperature))

    def observe(self, gradient) -> None:
        """Shows the observers a gradient along which alpha is about to move."""
        for observer in self.observers:
            observer(gradient)

    def values(self) -> list[np.ndarray]:
        """Returns the present alpha: [edges, candidates] for each of the cells.

        With edge normalisation beta is one more column.
        """
        return snapshot(self.variables)

    def mixing_weights(self) -> dict[str, np.ndarray]:
        """Returns the present mean mixing weights [edges, candidates] by cell."""
        mean = derivation.MEANS[self.relaxation]
        return {
            spec.name: mean(alpha, self.temperature)
            for spec, alpha, _ in self._parted()
        }

    def edge_weights(self) -> dict[str, np.ndarray]:
        """Returns the weights of whole edges [edges] by cell; empty without beta."""
        return {
            spec.name: derivation.edge_weights(spec, beta, self.temperature)
            for spec, _, beta in self._parted()
            if beta is not None
        }

    def _parted(self):
        """Returns (cell, alpha, beta or None) for each of the cells."""
        pairs = zip(self.space.cells, self.values(), strict=True)
        return [(spec, *spec.parted(rows)) for spec, rows in pairs]

    def genotype(self) -> Genotype:
        """Returns the genotype that would be derived now."""
        return derivation.derive(
            self.space, self.values(), self.temperature, self.relaxation
        )


def _one_hot(rows: np.ndarray) -> np.ndarray:
    """Returns 1 for the largest weight of each row, and 0 for all others."""
    return np.eye(rows.shape[-1])[rows.argmax(-1)]


def _with_column(rows: np.ndarray, column: np.ndarray | None) -> np.ndarray:
    """Returns rows with a column [edges] more, if there is one."""
    if column is None:
        return rows
    return np.concatenate([rows, column[:, np.newaxis]], axis=1)
