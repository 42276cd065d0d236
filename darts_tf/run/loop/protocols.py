"""Protocols used by the driver: `Loop`, `Reporter` and `Team`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

ENDLESS = 2**62
"""Steps of a loop that only its time limit ends; never shown."""


class Loop(Protocol):
    """A search or a training as the driver sees it."""

    @property
    def step(self) -> int:
        """Finished steps."""
        ...

    @property
    def total_steps(self) -> int:
        """Steps in all; may shrink after a step or an epoch, which ends the loop."""
        ...

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch."""
        ...

    @property
    def units(self) -> str:
        """The noun for a step's work, for example "images"."""
        ...

    @property
    def units_per_step(self) -> int:
        """The amount of a step's work, in `units`."""
        ...

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

    @property
    def chief(self) -> bool:
        """True for the process that writes."""
        ...

    def total(self, numbers) -> np.ndarray:
        """Returns the sums over all processes, each of which must call this."""
        ...


class Alone:
    """A team of one process."""

    chief = True

    def total(self, numbers) -> np.ndarray:
        """Returns the numbers themselves."""
        return np.asarray(numbers)
