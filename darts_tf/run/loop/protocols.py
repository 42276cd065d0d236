"""What the driver drives, with whom and whom it tells, as it sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

ENDLESS = 2**62
"""Steps of a loop that only its time ends; nobody is shown them."""


class Loop(Protocol):
    """A search or a training, as the driver sees it."""

    step: int  # finished steps
    total_steps: int  # a step or an epoch's end may leave fewer: it is over
    steps_per_epoch: int
    units: str  # "images" or what else a step takes
    units_per_step: int

    def advance(self) -> Mapping[str, object]:
        """Does one step; scalars by name, maybe not yet computed."""

    def end_epoch(self) -> Mapping[str, object]:
        """What is to be measured after an epoch's last step."""

    def state(self) -> Mapping[str, np.ndarray]:
        """All that is needed to go on exactly, by name.

        Arrays of floats must be finite while all is well; single numbers
        need not be. No name starts with "run/".
        """

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes up a state; InputError where it does not fit."""


class Reporter(Protocol):
    """Whoever shows scalars, for example TensorBoard."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Shows the values as those of `step`."""


class Team(Protocol):
    """The processes that drive the same loop step by step together."""

    chief: bool  # the one that writes

    def total(self, numbers) -> np.ndarray:
        """The sums over all of them, each of which has to ask."""


class Alone:
    """A team of one."""

    chief = True

    def total(self, numbers) -> np.ndarray:
        """The numbers themselves."""
        return np.asarray(numbers)
