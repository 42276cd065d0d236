"""Counts steps and epochs of a loop, for run/loop/driver.py."""

from __future__ import annotations


class Epochs:
    """A loop over `settings.epochs` epochs of `settings.steps_per_epoch`.

    Attributes:
      settings: has `epochs`, `steps_per_epoch` and `batch_size`.
      units: the noun for the examples of a batch.
      step: number of finished steps.
    """

    units = "images"

    def __init__(self, settings):
        self.settings = settings
        self.step = 0

    @property
    def steps_per_epoch(self) -> int:
        """Returns the steps of an epoch."""
        return self.settings.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Returns the steps of the whole loop."""
        return self.settings.epochs * self.steps_per_epoch

    @property
    def units_per_step(self) -> int:
        """Returns the examples that w is trained on in a step."""
        return self.settings.batch_size

    @property
    def epoch(self) -> int:
        """Returns the epoch of the next step, counted from 0."""
        return self.step // self.steps_per_epoch


class FirstEpochs:
    """The first epochs of a loop, as a loop.

    Args:
      loop: an Epochs, whose attributes this has, all but `total_steps`.
      epochs: how many of its epochs.
    """

    def __init__(self, loop: Epochs, epochs: int):
        self._loop, self._epochs = loop, epochs

    @property
    def total_steps(self) -> int:
        """Returns the steps of these epochs."""
        steps = self._epochs * self._loop.steps_per_epoch
        return min(steps, self._loop.total_steps)

    def __getattr__(self, name: str):
        return getattr(self._loop, name)
