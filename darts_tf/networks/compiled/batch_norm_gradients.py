"""Batch norm with fast second derivatives.

TensorFlow computes the gradient of its fused gradient from single operations,
some thirty passes over the feature map. But with the statistics of the batch,

    y = gamma x' + beta,    x' = (x - mean) s,    s = (variance + epsilon)^-1/2

has a symmetric Jacobian in x: the gradient of <y, c> by x, which is linear in
c, is its own derivative by c. And the gradient by gamma is <x', c>, whose
derivatives are batch norm and that gradient once more. So all of first and
second order are the fused operations at other arguments, except for the
derivative by x of the gradient by x.
"""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from darts_tf.networks.compiled import derivative_mode

AXES = (0, 1, 2)


def normalised(x, gamma, beta, epsilon: float) -> tuple:
    """Normalises x with the statistics of its batch.

    Derivatives of y of first and second order are exact; a third one raises
    NotImplementedError. TensorFlow refuses the second derivative of a call of a
    traced function that holds this and not its gradient. The statistics have no
    derivatives.

    Args:
      x: [B, H, W, C], float32.
      gamma: [C].
      beta: [C].
      epsilon: added to the variance.

    Returns:
      (y [B, H, W, C], mean [C], unbiased variance [C]).
    """

    @tf.custom_gradient
    def compute(x, gamma, beta):
        y, *statistics = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=gamma,
            offset=beta,
            mean=[],
            variance=[],
            epsilon=epsilon,
            is_training=True,
        )
        at = _DerivativesAt(epsilon, tuple(statistics))

        def gradients(c, *_):
            by_beta = tf.reduce_sum(c, AXES)
            return at.by_x(c, x, gamma), at.by_gamma(c, x, gamma), by_beta

        return (y, *statistics[:2]), gradients

    return compute(*map(tf.convert_to_tensor, (x, gamma, beta)))


@dataclasses.dataclass(frozen=True)
class _DerivativesAt:
    """Computes the derivatives of batch norm at one x.

    Attributes:
      epsilon: added to the variance.
      statistics: mean and unbiased variance of x, each [C], and what
        TensorFlow's gradient needs of the normalisation.
    """

    epsilon: float
    statistics: tuple

    def by_x(self, c, x, gamma):
        """Computes the gradient by x, gamma s (c - <c> - x' <c x'>), <> means."""

        @tf.custom_gradient
        def compute(c, x, gamma):
            fused = self._fused(c, x, gamma)

            def gradients(a):
                again = self.by_x(a, x, gamma)
                second = None, None
                if not derivative_mode.in_directional_pass():
                    second = self._second(a, c, x, gamma, *fused)
                return again, *second

            return fused[0], gradients

        return compute(c, x, gamma)

    def by_gamma(self, c, x, gamma):
        """Computes the gradient by gamma, the sum of c x': [C]."""

        @tf.custom_gradient
        def compute(c, x, gamma):
            def gradients(a):
                by_c, *_ = normalised(x, a, tf.zeros_like(a), self.epsilon)
                return by_c, self.by_x(c, x, a), None

            return self._fused(c, x, gamma)[1], gradients

        return compute(c, x, gamma)

    def _second(self, a, c, x, gamma, by_x, cx, sum_c):
        """Computes the derivatives of <a, by_x(c)> by x and gamma.

        Args:
          a: the gradient of by_x(c, x, gamma).
          c, x, gamma: the arguments of by_x.
          by_x, cx, sum_c: the fused gradient by x, gamma and beta at them.
        """

        @tf.custom_gradient
        def compute(a, c, x, gamma, by_x, cx, sum_c):
            mean, unbiased, *_ = self.statistics
            size = x.shape.num_elements() or tf.cast(tf.size(x), x.dtype)
            count = size / x.shape[-1]
            variance = unbiased * ((count - 1) / count)
            s = tf.math.rsqrt(variance + self.epsilon)
            less = -s / count
            a_by_x, ax, sum_a = self._fused(a, x, gamma)
            product = tf.reduce_sum(a * c, AXES)
            product -= (sum_a * sum_c + ax * cx) / count
            standard, *_ = tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=gamma * s * less * product,
                offset=tf.zeros_like(s),
                mean=mean,
                variance=variance,
                epsilon=self.epsilon,
                is_training=False,
            )
            others = [a_by_x * (less * cx), by_x * (less * ax)]
            return (tf.add_n([standard, *others]), s * product), _refuse

        return compute(a, c, x, gamma, by_x, cx, sum_c)

    def _fused(self, c, x, gamma):
        """Computes the gradient of <y, c> by x, gamma and beta."""
        first, second, third = self.statistics[2:]
        return tf.raw_ops.FusedBatchNormGradV3(
            y_backprop=c,
            x=x,
            scale=gamma,
            reserve_space_1=first,
            reserve_space_2=second,
            reserve_space_3=third,
            epsilon=self.epsilon,
            is_training=True,
        )[:3]


def _refuse(*_):
    raise NotImplementedError(
        "batch norm has no third derivative in a directional pass; outside of "
        "set_directional_pass it is TensorFlow's own, which has"
    )
