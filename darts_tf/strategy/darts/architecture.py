"""Holds alpha during a search: its values, its steps, its genotype.

With a temperature T (the DARTS paper ends by proposing to anneal it), all is
computed with alpha / T in the place of alpha. The gradient with respect to
alpha is then the one with respect to alpha / T, divided by T; no loss knows
of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.descent.variables import snapshot
from darts_tf.space.cell import SearchSpace
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts import derivation, relaxation


class Architecture:
    """The architecture parameters of one search.

    Args:
      space: what is searched.
      seed: of alpha's start.
      edge_normalisation: with beta, a weight of each edge (Xu et al. 2020).
      optimizer: moves alpha (descent/optimizers.py).
      replicas: where it runs.

    Attributes:
      variables, slots: alpha and its optimizer's memory.
      temperature: T.
      observers: functions that are called with each gradient before the step.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        edge_normalisation: bool,
        optimizer,
        replicas: Replicas,
    ):
        self.space, self.temperature = space, 1.0
        self.observers: list[Callable] = []
        start = relaxation.initial_alpha(space, seed, edge_normalisation)
        slots = optimizer.slots([tf.constant(rows) for rows in start])
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
        """Returns alpha / T, a list of tensors, for all losses."""
        return self._scaled(tf.constant(self.temperature))

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
        """Returns the present mixing weights [edges, candidates] by cell (eq. 2)."""
        return {
            spec.name: derivation.softmax(alpha, self.temperature)
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
        return derivation.derive(self.space, self.values(), self.temperature)
