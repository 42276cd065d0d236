"""The gradient of the bilevel problem (DARTS sect. 2.3, eq. 3-8).

Everything is written against one function of values,

    loss(w, alpha, batch, seed) -> (loss, aux)

with w and alpha flat lists of tensors. The architecture is to minimise
L_val(w', alpha), where w' is the step that the optimizer is about to take on
L_train (eq. 6). Its gradient (eq. 7) is

    d/dalpha L_val(w', alpha)  +  d/dalpha <grad_w L_train(w, alpha), u>

with u = (dw'/dg)^T grad_w' L_val(w', alpha), which for plain descent is
-xi grad_w' L_val. The three methods differ in the second, implicit term:

- first_order: xi = 0. Then w' = w and there is none.
- finite_difference: a central difference along u (eq. 8).
- exact: the derivative itself, by nested tapes.

Departures: the papers' code leaves gradient clipping out of the unroll; here
it is in, with its derivative.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import tensorflow as tf

from darts_tf.descent.precision import FLOAT32, Precision
from darts_tf.errors import InputError
from darts_tf.strategy.darts.gradients import (
    alpha_gradient,
    both_gradients,
    mixed_product,
    weight_gradient,
)
from darts_tf.strategy.darts.micro_batches import in_turn

METHODS = ("first_order", "finite_difference", "exact")

EPSILON = 0.01
"""Length of the step of eq. 8: epsilon = 0.01 / |u| (paper, footnote 2)."""


def perturb(w, u, epsilon):
    """(w + epsilon u, w - epsilon u), the two points of eq. 8."""
    up = [t + epsilon * d for t, d in zip(w, u, strict=True)]
    down = [t - epsilon * d for t, d in zip(w, u, strict=True)]
    return up, down


def difference_step(u, length: float = EPSILON):
    """epsilon of eq. 8: a step of `length` along u; 0 where u is zero."""
    return tf.math.divide_no_nan(
        tf.constant(length, u[0].dtype), tf.linalg.global_norm(u)
    )


@dataclasses.dataclass(frozen=True)
class Unroll:
    """The step that the optimizer is about to take.

    Attributes:
      optimizer: with step() and pull_back() (descent/optimizers.py).
      slots: its state.
      learning_rate: xi, a scalar.
      weight_gradient: (w, alpha, batch, seed) -> (gradient, loss, aux) that
        the step descends along; None for that of L_train.
    """

    optimizer: object
    slots: list
    learning_rate: tf.Tensor
    weight_gradient: Callable | None = None


class ArchitectureGradient:
    """One of the three methods over one loss, compiled in small pieces.

    The pieces are separate graphs, which the methods share: a single graph
    of all passes takes minutes to its first step. Gradients are averaged
    over the replicas wherever they leave a piece, so that N replicas compute
    what one computes on the joined batch. Micro-batches are averaged there
    too (strategy/darts/micro_batches.py).

    Args:
      loss: L_train as loss(w, alpha, batch, seed) -> (loss, aux).
      method: one of METHODS.
      compile: turns a function of tensors into its compiled form.
      mean: averages a list of tensors over the replicas.
      epsilon: length of the step of eq. 8.
      valid_loss: L_val, where it is another function than L_train.
      micro_batches: equal slices of a batch that are computed in turn.
      precision: what the passes compute in, but for the two of eq. 8. Their
        points lie closer together than kernels of 16 bits, and their
        gradients differ by less than those are exact to: they are float32.
      product: the implicit term of the exact method: one of
        gradients.PRODUCTS.

    Raises:
      InputError: no such method.
    """

    def __init__(
        self,
        loss: Callable,
        method: str,
        compile: Callable = tf.function,
        mean: Callable = lambda values: values,
        epsilon: float = EPSILON,
        valid_loss: Callable | None = None,
        micro_batches: int = 1,
        precision: Precision = FLOAT32,
        product: Callable = mixed_product,
    ):
        if method not in METHODS:
            raise InputError(
                f"the gradient method must be one of {', '.join(METHODS)}; "
                f"received {method!r}"
            )
        self.method = method
        same = valid_loss is None or valid_loss is loss
        low = precision.of(loss)
        low_valid = low if same else precision.of(valid_loss)

        def piece(function, which, scale=precision.scale):
            return in_turn(
                functools.partial(function, which, scale=scale),
                micro_batches,
                compile,
                mean,
            )

        def around(w, u):
            step = difference_step(u, epsilon)
            return *perturb(w, u, step), step

        def central(base, up, down, step):
            return [
                g + tf.math.divide_no_nan(p - n, 2 * step)
                for g, p, n in zip(base, up, down, strict=True)
            ]

        def plus(left, right):
            return [a + b for a, b in zip(left, right, strict=True)]

        self._compile = compile
        self._steps = {}
        self.weight_gradient = piece(weight_gradient, low)
        self.alpha_gradient = piece(alpha_gradient, loss, 1.0)
        self._valid = (
            self.alpha_gradient
            if low_valid is loss
            else piece(alpha_gradient, low_valid)
        )
        self.both_gradients = piece(both_gradients, low_valid)
        self._product = piece(product, low)
        self._around = compile(around)
        self._central = compile(central)
        self._plus = compile(plus)

    def __call__(self, w, alpha, train, valid, seed, unroll: Unroll | None):
        """(the gradient with respect to alpha, L_val(w', alpha), its aux).

        Args:
          w, alpha: flat lists of tensors.
          train, valid: batches for L_train and L_val.
          seed: int32 [2]; all passes see the same masks.
          unroll: the step on w; None will do for first_order.
        """
        if self.method == "first_order":
            return self._valid(w, alpha, valid, seed)
        descend = unroll.weight_gradient or self.weight_gradient
        g, _, _ = descend(w, alpha, train, seed)
        step, pull_back = self._compiled_steps(unroll.optimizer)
        state = (unroll.slots, unroll.learning_rate)
        unrolled = step(w, g, *state)  # eq. 6
        v, direct, value, aux = self.both_gradients(unrolled, alpha, valid, seed)
        u = pull_back(w, g, *state, v)
        if self.method == "exact":
            implicit = self._product(w, alpha, train, seed, u)
            return self._plus(direct, implicit), value, aux
        up, down, epsilon = self._around(w, u)  # eq. 8
        above, _, _ = self.alpha_gradient(up, alpha, train, seed)
        below, _, _ = self.alpha_gradient(down, alpha, train, seed)
        return self._central(direct, above, below, epsilon), value, aux

    def calls(self, w, alpha, train, valid, seed, descend) -> list[tuple]:
        """(piece, arguments of the right shapes) in the order of a step.

        Of a step on alpha and the one on w behind it, which descends along
        `descend`; small pieces are left out.
        """
        first = descend, (w, alpha, train, seed)
        if self.method == "first_order":
            return [(self._valid, (w, alpha, valid, seed)), first]
        both = self.both_gradients, (w, alpha, valid, seed)
        if self.method == "exact":
            return [first, both, (self._product, (*first[1], w))]
        return [first, both, (self.alpha_gradient, first[1])]

    def _compiled_steps(self, optimizer):
        if optimizer not in self._steps:
            self._steps[optimizer] = (
                self._compile(lambda *a: optimizer.step(*a)[0]),
                self._compile(optimizer.pull_back),
            )
        return self._steps[optimizer]
