"""Protocols used by the driver: `Loop`, `Reporter` and `Team`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

ENDLESS = 2**62
"""Steps of a loop that only its time limit ends; never shown."""


class Loop(Protocol):
    """A search or a training as the driver sees it."""

    step: int  # finished steps
    total_steps: int  # may shrink after a step or an epoch's end, which ends the loop
    steps_per_epoch: int
    units: str  # of a step's work, for example "images"
    units_per_step: int

    def advance(self) -> Mapping[str, object]:
        """Does one step and returns scalars by name, possibly not computed yet."""
        ...

    def end_epoch(self) -> Mapping[str, object]:
        """Measures after an epoch's last step and returns scalars by name."""
        ...

    def state(self) -> Mapping[str, np.ndarray]:
        """Returns all arrays needed to continue exactly, by name.

        Arrays of floats must be finite while all is well; single numbers
        need not be. No name starts with "run/".
        """
        ...

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restores a state; raises InputError if it does not fit."""


class Reporter(Protocol):
    """Receives scalars to show, for example in TensorBoard."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Shows the values as those of `step`."""


class Team(Protocol):
    """The processes that drive the same loop step by step together."""

    chief: bool  # the one that writes

    def total(self, numbers) -> np.ndarray:
        """Returns the sums over all processes, each of which must call this."""
        ...


class Alone:
    """A team of one process."""

    chief = True

    def total(self, numbers) -> np.ndarray:
        """Returns the numbers themselves."""
        return np.asarray(numbers)
