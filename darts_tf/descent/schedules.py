"""Schedules as functions of the epoch, counted from 0 as the papers do."""

from __future__ import annotations

import math


def cosine(start: float, end: float, epoch: int, epochs: int) -> float:
    """Cosine annealing (Loshchilov and Hutter 2017): start -> end.

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
    """`start` times `decay` for every epoch that is over."""
    return start * decay**epoch


def warmed_up(rate: float, epoch: int, epochs: int) -> float:
    """Of a schedule's `rate`, what the first `epochs` take of it.

    It rises by the same share in each and is whole in the last of them
    (Goyal et al. 2017, by whole epochs as in the code of P-DARTS).
    """
    return rate * min(1.0, (epoch + 1) / max(epochs, 1))


def geometric(end: float, epoch: int, epochs: int) -> float:
    """Falls by a constant factor from 1 at epoch 0 to `end` at the last."""
    return end ** (epoch / max(epochs - 1, 1))
