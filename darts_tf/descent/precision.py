"""Mixed precision: images in 16 bits and, for float16, a scaled loss.

A network computes in the type of its images (networks/precision.py), so a
loss in low precision is the same loss on narrowed images. w, its slots, alpha,
mixing weights, batch statistics, logits and losses stay float32; so do all
measures.

float16 has few exponents: gradients of feature maps, 1e-5 and less, would
become 0. Therefore the loss is multiplied by LOSS_SCALE, and its gradient is
divided by it again, in float32, before any other use. The scale is fixed, a
power of two, and therefore no state of a run; a step whose gradient overflows
is skipped (descent/optimizers.py, `guarded`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from darts_tf.errors import InputError

LOSS_SCALE = 2.0**10
"""Scale for float16: raises gradients above its smallest normal number, 6e-5, and
leaves room for elements up to 64 in a gradient of w (its largest: 65504)."""


@dataclasses.dataclass(frozen=True)
class Precision:
    """The type of feature maps and convolutions, and the scale of the loss.

    Attributes:
      dtype: that images are cast to; None: they stay as they are.
      scale: factor of the loss when gradients are computed.
    """

    dtype: tf.DType | None = None
    scale: float = 1.0

    @property
    def guarded(self) -> bool:
        """Returns True if gradients may overflow that would not in float32."""
        return self.scale != 1

    def narrowed(self, batch):
        """Casts the floating-point tensors of a batch to `dtype`."""
        dtype = self.dtype
        if dtype is None:
            return batch
        return tf.nest.map_structure(
            lambda x: tf.cast(x, dtype) if x.dtype.is_floating else x,
            batch,
        )

    def of(self, loss: Callable) -> Callable:
        """Returns loss(w, alpha, batch, seed) on narrowed batches."""
        if self.dtype is None:
            return loss

        def narrowed_loss(w, alpha, batch, seed):
            return loss(w, alpha, self.narrowed(batch), seed)

        return narrowed_loss


FLOAT32 = Precision()
PRECISIONS = {
    "float32": FLOAT32,
    "mixed_bfloat16": Precision(tf.bfloat16),
    "mixed_float16": Precision(tf.float16, LOSS_SCALE),
}


def precision_by_name(name: str) -> Precision:
    """Returns one of PRECISIONS.

    Raises:
      InputError: an unknown name.
    """
    if name not in PRECISIONS:
        raise InputError(
            f"`precision` must be one of {', '.join(PRECISIONS)}; received {name!r}"
        )
    return PRECISIONS[name]


def scaled_gradient(tape, value, sources, scale: float = 1.0):
    """Returns `scale` times the gradient of a scalar, zero where unconnected."""
    seed = None if scale == 1 else tf.constant(scale, value.dtype)
    return tape.gradient(
        value, sources, output_gradients=seed, unconnected_gradients="zero"
    )


def unscaled(gradients, scale: float):
    """Divides gradients by `scale`; exact, since it is a power of two."""
    if scale == 1:
        return gradients
    return tf.nest.map_structure(lambda g: g / scale, gradients)
