"""Windows of text: from flags to what trainings and searches read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from darts_tf.data.text import windows
from darts_tf.descent.replicas import Replicas
from darts_tf.errors import InputError


class Windows:
    """Windows of one text, split among the replicas."""

    def __init__(self, flags, tokens: np.ndarray, replicas: Replicas):
        replicas.check_batch(flags.batch_size)
        self._flags, self._tokens = flags, tokens
        self._replicas = replicas

    def training(self, start_step: int):
        """Endless, of bptt words or half of them."""
        return self._split(
            windows.training_windows(
                self._tokens,
                batch_size=self._flags.batch_size,
                bptt=self._flags.bptt,
                seed=self._flags.seed,
                start_step=start_step,
            ),
            self._flags.batch_size,
        )

    def validation(self, start_step: int):
        """Endless, of one length."""
        return self._split(
            windows.validation_windows(
                self._tokens,
                batch_size=self._flags.batch_size,
                bptt=self._flags.bptt,
                start_step=start_step,
            ),
            self._flags.batch_size,
        )

    def once(self, batch_size: int | None = None):
        """The whole text, in --measured_batch streams or as many as given."""
        size = batch_size or self._flags.measured_batch
        dataset = windows.ordered_windows(
            self._tokens, batch_size=size, bptt=self._flags.bptt
        )
        return self._split(dataset, size)

    def _split(self, dataset, size: int):
        """With `fresh` for each stream, so that it can be divided."""
        each = dataset.map(lambda x, y, fresh: (x, y, tf.repeat(fresh, size)))
        return self._replicas.split(each, size)


def far_from(text, steps: int, flags, replicas: Replicas) -> Callable:
    """Windows for alpha of the text that w learns from, half of it away."""
    every = Windows(flags, text, replicas)
    return lambda start_step: every.validation(start_step + steps // 2)


def require(build: Callable, flag: str) -> None:
    """Refuses what would fail at the end of the first epoch only."""
    try:
        build()
    except InputError as error:
        raise InputError(f"validation text, --{flag}: {error}") from error
