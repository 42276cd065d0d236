"""Schedules as functions of the epoch, counted from 0 as in the papers."""

from __future__ import annotations

import math


def cosine(start: float, end: float, epoch: int, epochs: int) -> float:
    """Falls from `start` to `end` by a cosine (Loshchilov and Hutter 2017).

    Epoch 0 has `start`; `end` would be reached at epoch number `epochs`.
    """
    share = (1 + math.cos(math.pi * epoch / epochs)) / 2
    return end + (start - end) * share


def linear(end: float, epoch: int, epochs: int) -> float:
    """Rises linearly from 0 at epoch 0; `end` is reached at `epochs`."""
    return end * epoch / epochs


def falling(start: float, epoch: int, epochs: int) -> float:
    """Falls linearly from `start` at epoch 0; 0 would be at `epochs`."""
    return start * (1 - epoch / epochs)


def exponential(start: float, decay: float, epoch: int) -> float:
    """Falls from `start` at epoch 0 by the factor `decay` an epoch."""
    return start * decay**epoch


def warmed_up(rate: float, epoch: int, epochs: int) -> float:
    """Scales a schedule's `rate` down during the first `epochs`.

    The factor rises linearly and is 1 in the last of them (Goyal et al. 2017,
    by whole epochs as in the code of P-DARTS).
    """
    return rate * min(1.0, (epoch + 1) / max(epochs, 1))


def geometric(end: float, epoch: int, epochs: int) -> float:
    """Falls by a constant factor from 1 at epoch 0 to `end` at the last."""
    return end ** (epoch / max(epochs - 1, 1))
