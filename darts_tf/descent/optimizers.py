"""SGD and Adam as pure steps: values in, values out.

A step that is a function of values can be unrolled (eq. 6) exactly as it
will be taken. Weight decay is the papers': L2, added to the gradient, with
gradient wd * w. Momentum is torch's, v = mu v + g; w -= lr v, whose buffer
does not contain the learning rate. Keras has neither form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

CLIP_EPSILON = 1e-6


def clip_coefficient(gradients, max_norm: float):
    """Returns the factor of clipping by global norm, [], at most 1."""
    norm = tf.linalg.global_norm(gradients)
    return tf.minimum(max_norm / (norm + CLIP_EPSILON), 1.0)


def finite(gradients):
    """Returns True, a boolean [], if all elements of all tensors are finite."""
    return tf.math.is_finite(tf.linalg.global_norm(gradients))


@dataclasses.dataclass(frozen=True)
class _Guarded:
    """An optimizer that skips steps whose gradient is not finite.

    Attributes:
      guarded: whether to skip them: `step` then returns its arguments.
    """

    guarded: bool = dataclasses.field(default=False, kw_only=True)
    _step: ClassVar[Callable[..., Any]]  # the step itself, by subclasses

    def step(self, parameters, gradients, slots, *arguments):
        """Returns (parameters', slots') after one step, of the same shapes."""
        if not self.guarded:
            return self._step(parameters, gradients, slots, *arguments)
        usable = finite(gradients)
        # Replaced before the step too: its derivative (pull_back) has factors
        # 0 that must not meet infinity, nor the norm of zeros.
        safe = [tf.where(usable, g, tf.ones_like(g)) for g in gradients]
        stepped = self._step(parameters, safe, slots, *arguments)
        return tf.nest.map_structure(
            lambda new, old: tf.where(usable, new, old),
            stepped,
            (parameters, slots),
        )

    def skipped(self, gradients):
        """Returns 1.0 if `step` is skipped, else 0.0; [], float32."""
        if not self.guarded:
            return tf.constant(0.0)
        return 1.0 - tf.cast(finite(gradients), tf.float32)


@dataclasses.dataclass(frozen=True)
class SGD(_Guarded):
    """Stochastic gradient descent with momentum, on a flat list of tensors.

    Attributes:
      momentum: mu; 0 for none.
      weight_decay: factor of the L2 term, added after clipping.
      clip_norm: largest global norm of the gradient; 0 for no clipping.
    """

    momentum: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float = 0.0

    def slots(self, w) -> list:
        """Returns the state before the first step: a zero buffer per tensor."""
        return [tf.zeros_like(tensor) for tensor in w] if self.momentum else []

    def _step(self, w, gradients, slots, learning_rate):
        if self.clip_norm:
            c = clip_coefficient(gradients, self.clip_norm)
            gradients = [c * g for g in gradients]
        if self.weight_decay:
            gradients = [
                g + self.weight_decay * t for g, t in zip(gradients, w, strict=True)
            ]
        if self.momentum:
            gradients = slots = [
                self.momentum * v + g for v, g in zip(slots, gradients, strict=True)
            ]
        moved = [
            t - tf.cast(learning_rate, t.dtype) * v
            for t, v in zip(w, gradients, strict=True)
        ]
        return moved, slots

    def pull_back(self, w, gradients, slots, learning_rate, v):
        """Computes u = (dw'/dgradients)^T v, a cotangent v of w' pulled back.

        Without clipping this is -lr v; the derivative of clipping is included.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(gradients)
            moved, _ = self.step(w, gradients, slots, learning_rate)
        return tape.gradient(moved, gradients, output_gradients=v)


@dataclasses.dataclass(frozen=True)
class Adam(_Guarded):
    """Adam (Kingma and Ba 2015) on a flat list of tensors, with L2 decay.

    Attributes:
      learning_rate: constant.
      beta1, beta2: decay of the first and second moment (paper: 0.5, 0.999).
      weight_decay: factor of the L2 term.
      epsilon: added to the root of the second moment.
    """

    learning_rate: float
    beta1: float = 0.5
    beta2: float = 0.999
    weight_decay: float = 0.0
    epsilon: float = 1e-8

    def slots(self, parameters) -> list:
        """Returns first moments, second moments, and the number of steps."""
        zeros = [tf.zeros_like(p) for p in parameters]
        return [*zeros, *zeros, tf.zeros([], tf.int64)]

    def _step(self, parameters, gradients, slots):
        count = len(parameters)
        m, v, t = slots[:count], slots[count : 2 * count], slots[-1] + 1
        g = [
            g + self.weight_decay * p
            for g, p in zip(gradients, parameters, strict=True)
        ]
        m = [self.beta1 * a + (1 - self.beta1) * b for a, b in zip(m, g)]
        v = [self.beta2 * a + (1 - self.beta2) * b * b for a, b in zip(v, g)]
        moved = [
            self._move(*values, t) for values in zip(parameters, m, v, strict=True)
        ]
        return moved, [*m, *v, t]

    def _move(self, p, m, v, t):
        steps = tf.cast(t, p.dtype)
        m_hat = m / (1 - tf.pow(tf.cast(self.beta1, p.dtype), steps))
        v_hat = v / (1 - tf.pow(tf.cast(self.beta2, p.dtype), steps))
        return p - self.learning_rate * m_hat / (tf.sqrt(v_hat) + self.epsilon)
