"""The gradient of the bilevel problem (DARTS sect. 2.3, eq. 3-8).

Everything is written against one function of values,

    loss(w, alpha, batch, seed) -> (loss, aux)

with w and alpha flat lists of tensors. The architecture minimises
L_val(w', alpha), where w' is the step that the optimizer is about to take on
L_train (eq. 6). Its gradient (eq. 7) is

    d/dalpha L_val(w', alpha)  +  d/dalpha <grad_w L_train(w, alpha), u>

with u = (dw'/dg)^T grad_w' L_val(w', alpha), which for plain descent is
-xi grad_w' L_val. The methods differ in the second, implicit term.

Departures, all in clipping: BUILD_NOTES.md. How all of this runs (compiled, on
replicas, in 16 bits, in micro-batches) is said in strategy/darts/execution.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from darts_tf.config import Method, names
from darts_tf.errors import InputError
from darts_tf.strategy.darts.primitives import FullPrecision, arithmetic, derivative

METHODS = names(Method)
EPSILON = 0.01
"""Length of the step of eq. 8: epsilon = 0.01 / |u| (paper, footnote 2)."""

ZERO = tf.UnconnectedGradients.ZERO


def architecture_gradient(
    loss, w, alpha, train, valid, seed, unroll, implicit, valid_loss=None
):
    """Computes d/dalpha L_val(w'(alpha), alpha), eq. 7.

    Args:
      loss: L_train as loss(w, alpha, batch, seed) -> (loss, aux).
      w, alpha: flat lists of tensors.
      train, valid: batches for L_train and L_val.
      seed: int32 [2]; all passes see the same masks.
      unroll: an Unroll, the step on w; None will do for `zero`.
      implicit: the second term, such as `finite_difference` (`implicit_term`).
      valid_loss: L_val if it is another function than L_train.

    Returns:
      (gradient shaped like alpha, L_val(w', alpha), its aux).
    """
    valid_loss = valid_loss or loss
    if implicit is zero:  # xi = 0, so that w' = w
        return grad_alpha(valid_loss, w, alpha, valid, seed)
    g, _, _ = unroll.gradient(loss, w, alpha, train, seed)
    w_prime = unroll.step(w, g)  # eq. 6
    v, direct, value, aux = grad_w_alpha(valid_loss, w_prime, alpha, valid, seed)
    u = unroll.pull_back(w, g, v)  # -xi v for plain SGD
    return add(direct, implicit(loss, w, alpha, train, seed, u)), value, aux


def zero(loss, w, alpha, batch, seed, u):
    """Returns zeros: first order, the implicit term is left out."""
    return [tf.zeros_like(a) for a in alpha]


def finite_difference(loss, w, alpha, batch, seed, u, length=EPSILON):
    """Computes (grad_alpha L(w + eps u) - grad_alpha L(w - eps u)) / (2 eps), eq. 8."""
    loss = FullPrecision(loss)
    w_plus, w_minus, epsilon = perturb(w, u, length)
    above, _, _ = grad_alpha(loss, w_plus, alpha, batch, seed)
    below, _, _ = grad_alpha(loss, w_minus, alpha, batch, seed)
    return central_difference(above, below, epsilon)


@derivative
def reverse_over_reverse(loss, w, alpha, batch, seed, u):
    """Computes d/dalpha <grad_w L(w, alpha), u>, u constant: exact, linear in u."""
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(alpha)
        g, _, _ = _gradient(loss, w, alpha, batch, seed, w)
    return outer.gradient(g, alpha, u, ZERO)


@derivative
def forward_over_reverse(loss, w, alpha, batch, seed, u):
    """Computes the same as the gradient by alpha of L's derivative along u.

    One reverse pass over two forward ones in the place of two reverse passes
    over one: for networks whose layers know their directional derivatives.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(alpha)
        along = directional_derivative(loss, w, alpha, batch, seed, u)
    return tape.gradient(along, alpha, None, ZERO)


@derivative
def directional_derivative(loss, w, alpha, batch, seed, u):
    """Computes <grad_w L, u>: grad_w L times a number, differentiated by it."""
    one = tf.ones([], w[0].dtype)
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(one)
        g, _, _ = _gradient(loss, w, alpha, batch, seed, w, [one])
    return outer.gradient(g, one, u)


@derivative
def grad_w(loss, w, alpha, batch, seed):
    """Computes (grad_w L, L, aux)."""
    return _gradient(loss, w, alpha, batch, seed, w)


@derivative
def grad_alpha(loss, w, alpha, batch, seed):
    """Computes (grad_alpha L, L, aux)."""
    return _gradient(loss, w, alpha, batch, seed, alpha)


@derivative
def grad_w_alpha(loss, w, alpha, batch, seed):
    """Computes (grad_w L, grad_alpha L, L, aux)."""
    both, value, aux = _gradient(loss, w, alpha, batch, seed, (w, alpha))
    return *both, value, aux


def _gradient(loss, w, alpha, batch, seed, sources, factor=None):
    """Computes (gradient of L by `sources`, times `factor`; L; aux)."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        value, aux = loss(w, alpha, batch, seed)
    return tape.gradient(value, sources, factor, ZERO), value, aux


@dataclasses.dataclass(frozen=True)
class Unroll:
    """The step on w that the optimizer is about to take, w'(g).

    Attributes:
      optimizer: with step() and pull_back() (descent/optimizers.py).
      slots: its state.
      learning_rate: xi, a scalar.
      gradient: gives g as grad_w does; another one where w's loss is
        regularized.
    """

    optimizer: object
    slots: list
    learning_rate: tf.Tensor
    gradient: Callable = grad_w

    def step(self, w, g):
        """Computes w' of eq. 6, shaped like w."""
        return _step(self.optimizer, w, g, self.slots, self.learning_rate)

    def pull_back(self, w, g, v):
        """Computes (dw'/dg)^T v, shaped like w."""
        return _pull_back(self.optimizer, w, g, self.slots, self.learning_rate, v)


@arithmetic
def _step(optimizer, w, g, slots, learning_rate):
    return optimizer.step(w, g, slots, learning_rate)[0]


@arithmetic
def _pull_back(optimizer, w, g, slots, learning_rate, v):
    return optimizer.pull_back(w, g, slots, learning_rate, v)


@arithmetic
def perturb(w, u, length):
    """Computes (w + eps u, w - eps u, eps), eps = length / |u|, or 0 if u is zero."""
    norm = tf.linalg.global_norm(u)
    epsilon = tf.math.divide_no_nan(tf.cast(length, norm.dtype), norm)
    plus = [t + epsilon * d for t, d in zip(w, u, strict=True)]
    minus = [t - epsilon * d for t, d in zip(w, u, strict=True)]
    return plus, minus, epsilon


@arithmetic
def central_difference(above, below, epsilon):
    """Computes (above - below) / (2 epsilon), or 0 if epsilon is."""
    pairs = zip(above, below, strict=True)
    return [tf.math.divide_no_nan(a - b, 2 * epsilon) for a, b in pairs]


@arithmetic
def add(left, right):
    """Adds the tensors of two lists."""
    return [a + b for a, b in zip(left, right, strict=True)]


def implicit_term(method: str, exact: Callable = reverse_over_reverse) -> Callable:
    """Returns the implicit term of one of METHODS; `exact` is that of "exact".

    Raises:
      InputError: no such method.
    """
    terms = dict(zip(METHODS, (zero, finite_difference, exact), strict=True))
    if method not in terms:
        raise InputError(
            f"`method` must be one of {', '.join(METHODS)}; received {method!r}"
        )
    return terms[method]
