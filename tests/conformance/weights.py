"""The weights of the goldens' networks: the rule of their README."""

from __future__ import annotations

import numpy as np


def wave(shape, phase: float = 0.0, amplitude: float = 1.0):
    """The rule itself, in the (out, in, kh, kw) layout."""
    k = np.arange(np.prod(shape))
    scale = amplitude / np.sqrt(np.prod(shape[1:]))
    return (scale * np.sin(0.7 * k + sum(shape) + phase)).reshape(shape)


def like(variable, **how):
    """`wave` for one of our variables, brought to our layout."""
    shape = tuple(variable.shape)
    if len(shape) == 4 and "depthwise" in variable.path:
        kh, kw, channels, _ = shape
        return wave((channels, 1, kh, kw), **how).transpose(2, 3, 0, 1)
    if len(shape) == 4:
        kh, kw, inner, outer = shape
        return wave((outer, inner, kh, kw), **how).transpose(2, 3, 1, 0)
    if len(shape) == 2:
        return wave(shape[::-1], **how).T
    return None


def fill(layer) -> None:
    """Weights as the goldens' networks had them."""
    for variable in layer.trainable_variables:
        value = like(variable)
        if value is not None:
            variable.assign(value)
        elif variable.name in ("bias", "beta"):
            variable.assign(np.zeros(variable.shape))
