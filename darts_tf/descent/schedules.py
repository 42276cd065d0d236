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


def geometric(end: float, epoch: int, epochs: int) -> float:
    """Falls by a constant factor from 1 at epoch 0 to `end` at the last."""
    return end ** (epoch / max(epochs - 1, 1))
