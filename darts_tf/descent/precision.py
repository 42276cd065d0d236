"""Mixed precision: what a training pass computes in 16 bits, and its scale.

A network computes in the type of the images that it is given
(networks/precision.py), so a loss in low precision is the same loss on
narrowed images. w, its slots, alpha, mixing weights, batch statistics, logits
and losses stay float32; so does all that is only measured.

float16 has few exponents: gradients of feature maps, 1e-5 and less, would
become 0. They are computed of LOSS_SCALE times the loss and divided by it
again, in float32, before anything else is done with them. The scale is fixed,
a power of two, and therefore no state of a run; a gradient that overflows is
not taken (descent/optimizers.py, `guarded`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from darts_tf.errors import InputError

LOSS_SCALE = 2.0**10
"""Of float16: raises gradients above its smallest normal number, 6e-5, and
leaves room for elements up to 64 in a gradient of w (its largest: 65504)."""


@dataclasses.dataclass(frozen=True)
class Precision:
    """What feature maps and convolutions are computed in.

    Attributes:
      dtype: of the images that the network is given; None: as they are.
      scale: what the loss is multiplied with for a gradient.
    """

    dtype: tf.DType | None = None
    scale: float = 1.0

    @property
    def guarded(self) -> bool:
        """Whether gradients may overflow where float32 would not."""
        return self.scale != 1

    def narrowed(self, batch):
        """A batch with its floating-point tensors in `dtype`."""
        if self.dtype is None:
            return batch
        return tf.nest.map_structure(
            lambda x: tf.cast(x, self.dtype) if x.dtype.is_floating else x,
            batch,
        )

    def of(self, loss: Callable) -> Callable:
        """loss(w, alpha, batch, seed) on narrowed batches."""
        if self.dtype is None:
            return loss

        def narrow(w, alpha, batch, seed):
            return loss(w, alpha, self.narrowed(batch), seed)

        return narrow


FLOAT32 = Precision()
PRECISIONS = {
    "float32": FLOAT32,
    "mixed_bfloat16": Precision(tf.bfloat16),
    "mixed_float16": Precision(tf.float16, LOSS_SCALE),
}


def precision_by_name(name: str) -> Precision:
    """One of PRECISIONS.

    Raises:
      InputError: no such one.
    """
    if name not in PRECISIONS:
        raise InputError(
            f"precision must be one of {', '.join(PRECISIONS)}; received {name!r}"
        )
    return PRECISIONS[name]


def scaled_gradient(tape, value, sources, scale: float = 1.0):
    """`scale` times the gradient of a scalar, zero where unconnected."""
    seed = None if scale == 1 else tf.constant(scale, value.dtype)
    return tape.gradient(
        value, sources, output_gradients=seed, unconnected_gradients="zero"
    )


def unscaled(gradients, scale: float):
    """Undoes `scaled_gradient`; exact, since the scale is a power of two."""
    if scale == 1:
        return gradients
    return tf.nest.map_structure(lambda g: g / scale, gradients)
