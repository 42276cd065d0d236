"""Batch normalisation with the papers' constants.

Momentum 0.9 (what torch calls 0.1) and epsilon 1e-5; Keras's defaults are
0.99 and 1e-3. As in torch, the batch is normalised with its biased variance
while the running statistics collect the unbiased one.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from darts_tf.networks import implementation
from darts_tf.networks.layer import Layer
from darts_tf.networks.precision import wide, widened

MOMENTUM = 0.9
EPSILON = 1e-5


class BatchNorm(Layer):
    """Normalises each channel of [B, H, W, C] over B, H and W.

    Statistics, scale and shift of 16-bit feature maps are float32.

    Args:
      affine: whether the layer learns a scale and a shift. In search it does
        not (DARTS sect. 3.1.1): they would rescale what alpha should weigh.
      synchronized: whether the replicas of a tf.distribute strategy share
        their batch's statistics.
      momentum: how much of the running statistics a training pass keeps;
        with 0, and in a pass over flat weights, they become the batch's, at no
        cost.
    """

    def __init__(
        self,
        affine: bool,
        synchronized: bool = False,
        momentum: float = MOMENTUM,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.affine = affine
        self.synchronized = synchronized
        self.momentum = momentum

    def build(self, shape) -> None:
        """Creates scale, shift (if affine) and the running statistics."""
        size = (shape[-1],)
        if self.affine:
            self.gamma = self.add_weight(size, "ones", name="gamma")
            self.beta = self.add_weight(size, "zeros", name="beta")
        self.moving_mean = self._statistic(size, "zeros", "moving_mean")
        self.moving_variance = self._statistic(size, "ones", "moving_variance")

    def _statistic(self, size, initializer, name):
        return self.add_weight(
            size,
            initializer,
            name=name,
            trainable=False,
            autocast=False,
            aggregation="mean",
        )

    def compute_output_shape(self, shape) -> tuple:
        """Returns the shape of the input."""
        return shape

    def call(self, x, scale=None, training: bool = False):
        """Normalises x; `scale` ([C]) multiplies the result for free.

        A mixing weight passed as `scale` costs no pass over the feature map,
        and its gradient is one that the normalisation computes anyway.
        """
        gamma, beta = self._scale_and_shift(x, scale)
        if not training:
            return self._normalise(
                x, self.moving_mean, self.moving_variance, gamma, beta
            )
        if x.dtype == tf.float64 or self.synchronized:
            mean, variance, unbiased = self._moments(x)
            y = self._normalise(x, mean, variance, gamma, beta)
        elif self._in_directional_pass(x):
            y, mean, unbiased = implementation.normalised(x, gamma, beta, EPSILON)
        else:
            unused = _constants(0, wide(x.dtype))[1]
            y, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=tf.convert_to_tensor(gamma),
                offset=tf.convert_to_tensor(beta),
                mean=unused,
                variance=unused,
                epsilon=EPSILON,
                is_training=True,
            )
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, unbiased)
        return y

    def _in_directional_pass(self, x) -> bool:
        narrow = x.dtype == tf.float32 and not self.plain
        return narrow and implementation.in_directional_pass()

    def _scale_and_shift(self, x, scale):
        """Returns (gamma, beta), each [C], with as few graph nodes as possible."""
        if self.affine:
            gamma, beta = self.gamma, self.beta
            return (gamma, beta) if scale is None else (gamma * scale, beta * scale)
        ones, zeros = _constants(x.shape[-1], wide(x.dtype))
        if implementation.is_constant_in_weights():
            # A traced function has a gradient in all that it captures.
            ones, zeros = tf.stop_gradient(ones), tf.stop_gradient(zeros)
        return (ones if scale is None else scale), zeros

    def _moments(self, x):
        """Computes mean, biased and unbiased variance [C], over replicas if asked."""
        x = widened(x)
        sums = [
            tf.cast(tf.size(x) // x.shape[-1], x.dtype),
            tf.reduce_sum(x, [0, 1, 2]),
            tf.reduce_sum(x * x, [0, 1, 2]),
        ]
        replica = tf.distribute.get_replica_context()
        if self.synchronized and replica.num_replicas_in_sync > 1:
            sums = replica.all_reduce(tf.distribute.ReduceOp.SUM, sums)
        count, total, squares = sums
        mean = total / count
        if self.synchronized:
            variance = squares / count - mean * mean
        else:
            variance = tf.reduce_mean(tf.math.squared_difference(x, mean), [0, 1, 2])
        unbiased = variance * count / tf.maximum(count - 1, 1)
        return mean, variance, unbiased

    @staticmethod
    def _normalise(x, mean, variance, gamma, beta):
        dtype = wide(x.dtype)
        y = tf.nn.batch_normalization(
            widened(x),
            tf.cast(mean, dtype),
            tf.cast(variance, dtype),
            beta,
            gamma,
            EPSILON,
        )
        return tf.cast(y, x.dtype)

    def _move(self, statistic, value) -> None:
        if self.momentum and implementation.flat_pass() is None:
            old = tf.convert_to_tensor(statistic)
            value = tf.cast(tf.stop_gradient(value), old.dtype)
            value = self.momentum * old + (1 - self.momentum) * value
        statistic.assign(value)


@functools.cache
def _constants(size: int, dtype):
    """Returns (ones, zeros), each [size]; a graph captures each of them once."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.ones([size], dtype), tf.zeros([size], dtype)


def batch_statistics_wanted() -> bool:
    """Returns whether this pass hands its batch's statistics to a training loop."""
    return implementation.flat_pass() is not None
