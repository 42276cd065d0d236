"""Steps and epochs of a loop, as run/loop/driver.py asks for them."""

from __future__ import annotations


class Epochs:
    """A loop over `settings.epochs` epochs of `settings.steps_per_epoch`.

    Attributes:
      settings: has also the `batch_size` of a step.
      units: what a batch consists of.
      step: finished steps.
    """

    units = "images"

    def __init__(self, settings):
        self.settings = settings
        self.step = 0

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch."""
        return self.settings.steps_per_epoch

    @property
    def total_steps(self) -> int:
        """Steps of the whole loop."""
        return self.settings.epochs * self.steps_per_epoch

    @property
    def units_per_step(self) -> int:
        """Examples that w is trained on in a step."""
        return self.settings.batch_size

    @property
    def epoch(self) -> int:
        """The epoch that the next step belongs to, counted from 0."""
        return self.step // self.steps_per_epoch


class FirstEpochs:
    """The beginning of a loop: over after some of its epochs.

    Args:
      loop: an Epochs, all of whose attributes but `total_steps` this has.
      epochs: how many.
    """

    def __init__(self, loop: Epochs, epochs: int):
        self._loop, self._epochs = loop, epochs

    @property
    def total_steps(self) -> int:
        """Steps until the beginning is over."""
        steps = self._epochs * self._loop.steps_per_epoch
        return min(steps, self._loop.total_steps)

    def __getattr__(self, name: str):
        return getattr(self._loop, name)
