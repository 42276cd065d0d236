"""Draws alpha towards cheaper networks: adds the gradient of their cost to alpha's.

Like strategy/darts/alpha_regularizer.py, a function of alpha alone. Without
targets it is weight * expected cost / cost of the dearest network, summed over
the costs. With targets it is one-sided: while the cell that would be derived
now costs more than its target, and only then,

    multiplier * expected cost / target.

The derived cell decides, and not the expected cost: mixing weights are far from
one-hot in a short search, where the expected cost stays near that of an average
network whatever is derived.

The multiplier is a fixed weight, or it is raised by dual ascent on the
constraint max(0, derived cost / target - 1) = 0: after each step on alpha by
rate * (derived cost / target - 1), if that is above 0. It never falls, so that
the cells stay within the target more and more of the time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from darts_tf.descent.replicas import Replicas
from darts_tf.networks.footprint.cost_table import CostTable
from darts_tf.space.genotype import Genotype
from darts_tf.strategy.darts.expected_cost import expected_and_derived
from darts_tf.strategy.darts.primitives import arithmetic


@dataclasses.dataclass(frozen=True, eq=False)
class Costs:
    """The costs of the networks of a space, and their targets.

    Attributes:
      tables: one for each cost.
      targets: of each of them, in its unit; None without.
      relaxation: of alpha, one of derivation.MEANS.
    """

    tables: tuple[CostTable, ...]
    targets: tuple[float, ...] | None = None
    relaxation: str = "softmax"

    @property
    def scales(self) -> np.ndarray:
        """Divisors of the costs, [costs]: the targets, or the costs of the dearest."""
        dearest = [table.bounds()[1] for table in self.tables]
        return np.array(self.targets or dearest, np.float64)

    def __call__(self, alpha):
        """Computes (expected, derived now), divided by the scales, [costs] each."""
        both = expected_and_derived(self.tables, alpha, self.relaxation)
        return tuple(values / self.scales for values in both)


@arithmetic
def add_gradient(costs: Costs, gradient, alpha, multipliers):
    """Computes gradient + d penalty / d alpha, shaped like alpha.

    Args:
      costs: of the derived networks.
      gradient: of L_val, with respect to alpha / T.
      alpha: alpha / T.
      multipliers: [costs].
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(alpha)
        expected, derived = costs(alpha)
        if costs.targets is not None:
            multipliers *= tf.cast(derived > 1, multipliers.dtype)
        value = tf.reduce_sum(multipliers * expected)
    added = tape.gradient(value, alpha)
    return [g + tf.cast(a, g.dtype) for g, a in zip(gradient, added, strict=True)]


class CostPenalty:
    """The costs' part in alpha's loss, and the multipliers that the search carries.

    Args:
      costs: of the derived networks, with or without targets.
      weight: the fixed multiplier of each cost; None for multipliers that
        start at 0 and are adapted to the targets.
      rate: of the dual ascent.
      replicas: where it runs.

    Attributes:
      costs: as given.
      multipliers: a variable [costs].
    """

    def __init__(
        self, costs: Costs, weight: float | None, rate: float, replicas: Replicas
    ):
        self.costs, self._adapts, self._replicas = costs, weight is None, replicas
        start = np.full(len(costs.tables), weight or 0.0, np.float64)
        with replicas.scope():
            self.multipliers = tf.Variable(tf.constant(start), trainable=False)

        def read():
            return tf.identity(self.multipliers)

        def ascend(alpha):
            _, derived = costs(alpha)
            risen = self.multipliers + rate * tf.nn.relu(derived - 1)
            replicas.assign([self.multipliers], [risen])

        # On one device the call of a compiled function would take longer than this.
        alone = replicas.count == 1
        self._read = self.multipliers.read_value if alone else replicas.compile(read)
        self._ascend = replicas.compile(ascend)
        self._measure = replicas.compile(costs)

    def penalised(self, gradient, alpha):
        """Returns the gradient along which alpha descends, shaped like alpha.

        Args:
          gradient: of all other losses, with respect to alpha / T.
          alpha: alpha / T.
        """
        return add_gradient(self.costs, gradient, alpha, self._read())

    def adapt(self, alpha) -> None:
        """Raises the multipliers of the targets that the present cells exceed."""
        if self._adapts:
            self._ascend(alpha)

    def scalars(self, alpha, genotype: Genotype) -> dict[str, float]:
        """Returns each cost, expected and derived, in its unit, and its multiplier.

        Args:
          alpha: alpha / T.
          genotype: that would be derived from it.
        """
        local = self._replicas.local
        expected = local(self._measure(alpha)[0]).numpy() * self.costs.scales
        multipliers = local(self._read()).numpy()
        result = {}
        for index, table in enumerate(self.costs.tables):
            result |= {
                f"cost/{table.name}/expected": float(expected[index]),
                f"cost/{table.name}/derived": float(table.of(genotype)),
                f"cost/{table.name}/multiplier": float(multipliers[index]),
            }
        return result

    def outcome(self, genotype: Genotype) -> Mapping[str, Mapping[str, float]]:
        """Returns the genotype's cost by name, its bounds, and its target if any."""
        targets = self.costs.targets or (None,) * len(self.costs.tables)
        result = {}
        for table, target in zip(self.costs.tables, targets, strict=True):
            least, most = table.bounds()
            row = {"derived": table.of(genotype), "cheapest": least, "dearest": most}
            result[table.name] = row if target is None else row | {"target": target}
        return result
